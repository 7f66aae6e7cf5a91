import { Agent, request } from 'node:http';
import type { EtcdNode } from 'rxetcd';

export interface BareAnswer {
  status: number;
  body: { node?: EtcdNode; errorCode?: number };
}

/** Every byte of the text but letters and digits as `%xx`. */
export const percent = (given: string, keep = /[A-Za-z0-9]/): string =>
  Array.from(Buffer.from(given, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return byte < 0x80 && keep.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');

/** Sends requests for keys past the client, with another HTTP client and another encoding. */
export function bareRequests(url: () => string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterAll(() => agent.destroy());

  return function bare(
    method: string,
    key: string,
    form?: Record<string, string>,
    query = '',
  ): Promise<BareAnswer> {
    const body = Object.entries(form ?? {})
      .map(([name, v]) => `${name}=${percent(v).replaceAll('%20', '+')}`)
      .join('&');
    const options = {
      method,
      agent,
      path: `/v2/keys${percent(key, /[A-Za-z0-9/]/)}${query}`,
      headers: form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
    };
    return new Promise((resolve, reject) => {
      const sending = request(url(), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const json = JSON.parse(Buffer.concat(chunks).toString('utf8')) as BareAnswer['body'];
          resolve({ status: response.statusCode ?? 0, body: json });
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
  };
}
