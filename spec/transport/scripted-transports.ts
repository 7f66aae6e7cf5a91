import axios, { type AxiosInstance } from 'axios';
import { firstValueFrom, type Observable } from 'rxjs';
import { EventBus } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import type { HttpPart, HttpRequest } from '../../lib/transport/http.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { Transport } from '../../lib/transport/transport.js';
import { rejectionOf } from '../support/jest/rejection.js';
import {
  startScriptedServer,
  type ScriptedHandler,
  type ScriptedServer,
} from '../support/scripted/scripted-server.js';

export type Kind = 'undici' | "the user's axios over http" | "the user's axios over fetch";
export const kinds: [Kind][] = [['undici'], ["the user's axios over http"], ["the user's axios over fetch"]];

export const instances: Record<Kind, () => AxiosInstance | undefined> = {
  undici: () => undefined,
  "the user's axios over http": () => axios.create({ adapter: 'http' }),
  "the user's axios over fetch": () => axios.create({ adapter: 'fetch' }),
};

/** A server that does what a test says, and transports to it; all are closed after the test. */
export function scriptedTransports() {
  let server: ScriptedServer;
  let events: EventBus;
  const opened: Transport[] = [];

  async function serve(handler: ScriptedHandler): Promise<void> {
    server = await firstValueFrom(startScriptedServer(handler));
  }

  function open(kind: Kind, instance = instances[kind](), connectTimeout = 1_000): Transport {
    events = new EventBus();
    const options = { connectTimeout, ...(instance === undefined ? {} : { axios: instance }) };
    const transport = new Transport(resolveOptions(options), events);
    opened.push(transport);
    return transport;
  }

  const requestOf = (more: Partial<HttpRequest> = {}): HttpRequest => ({
    method: 'GET',
    endpoint: server.url,
    path: '/v2/keys/a',
    timeout: 5_000,
    operation: 'get',
    pool: 'command',
    ...more,
  });

  afterEach(async () => {
    for (const transport of opened.splice(0)) transport.close();
    await firstValueFrom(server.close$());
  });

  return {
    get server() {
      return server;
    },
    /** Of the transport that was opened last. */
    get events() {
      return events;
    },
    serve,
    open,
    requestOf,
  };
}

/** The parts of an answer, unread. */
export const asItIs = (part: HttpPart): HttpPart => part;

/** The TransportError that it ends in. */
export async function failureOf(exchange$: Observable<unknown>): Promise<TransportError> {
  const error = await rejectionOf(exchange$);
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}

/** Collects the parts as they come. */
export function collect(parts$: Observable<HttpPart>) {
  const seen = { parts: [] as HttpPart[], text: '', error: undefined as unknown, done: false };
  const subscription = parts$.subscribe({
    next: (part) => {
      seen.parts.push(part);
      if (part.type === 'text') seen.text += part.text;
    },
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.done = true),
  });
  return { seen, subscription };
}
