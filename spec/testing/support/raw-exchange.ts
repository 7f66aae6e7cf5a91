import { request } from 'node:http';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';

/** One request, just as it goes on the wire. */
export interface RawRequest {
  method: string;
  /** Path and query, as they are sent. */
  target: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface RawAnswer {
  status: number;
  /** Names and values by turns, as they came. */
  headers: readonly string[];
  body: string;
}

function open(url: string, { method, target, headers, body }: RawRequest, agent?: Agent): ClientRequest {
  const sent = request(new URL(url), {
    method,
    path: target,
    headers: { ...headers },
    ...(agent && { agent }),
  });
  if (body !== undefined) sent.setHeader('content-length', Buffer.byteLength(body));
  sent.end(body);
  return sent;
}

/** Sends a request and waits for all of its answer. */
export const exchange = (url: string, raw: RawRequest, agent?: Agent): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const sent = open(url, raw, agent);
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve(answerOf(response, Buffer.concat(chunks).toString())));
    });
  });

/** An answer whose headers have come, and whose body may go on. */
export interface OpenAnswer {
  readonly head: RawAnswer;
  /** What has come of the body so far. */
  readonly body: string;
  readonly ended: boolean;
  close(): void;
}

export const openExchange = (url: string, raw: RawRequest): Promise<OpenAnswer> =>
  new Promise((resolve, reject) => {
    const sent = open(url, raw);
    sent.once('error', reject);
    sent.once('response', (response) => {
      let body = '';
      let ended = false;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', () => (ended = true));
      response.on('end', () => (ended = true));
      resolve({
        head: answerOf(response, ''),
        get body() {
          return body;
        },
        get ended() {
          return ended;
        },
        close: () => sent.destroy(),
      });
    });
  });

const answerOf = ({ statusCode = 0, rawHeaders }: IncomingMessage, body: string): RawAnswer => ({
  status: statusCode,
  headers: rawHeaders,
  body,
});
