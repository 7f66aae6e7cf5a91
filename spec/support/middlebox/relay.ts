import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform, type Readable } from 'node:stream';
import { defer, type Observable } from 'rxjs';
import type { Page } from './schedule.js';

/** How answers pass: heads at once or with the first bytes of their bodies, bodies as they come (0) or in lumps of so many bytes. */
export interface Manner {
  readonly holdsHeads: boolean;
  readonly lump: number;
}

export const promptly: Manner = { holdsHeads: false, lump: 0 };

/** What comes next of an answer: a line of its body. */
export interface NextLine {
  /** What was asked, with its query. */
  readonly path: string;
  /** Lines of this answer that have passed. */
  readonly passed: number;
  /** Those that have come from the server by now. */
  readonly arrived: () => number;
}

/** So much of a line passes at once; the rest, and all behind it, when `until` resolves. */
export interface Delay {
  readonly bytes: number;
  readonly until?: Promise<unknown>;
}

/** Starts an HTTP/1.1 proxy on a free loopback port that passes answers on in a manner; it lives until `close$`. */
export function startRelay(targetUrl: string): Observable<Relay> {
  return defer(async () => {
    const relay = new Relay(targetUrl);
    await relay.listen();
    return relay;
  });
}

/** The half of a middlebox that understands HTTP: it buffers answers, and answers by itself. */
export class Relay {
  /** Of the answers that begin from now on. */
  manner: Manner = promptly;
  /** Answers with this page from now on, and asks nobody; undefined: the target answers. */
  page: Page | undefined;
  /** Asked before each line of a body passes, an event in an answer of etcd; undefined: it passes. */
  delay: (next: NextLine) => Delay | undefined = () => undefined;
  /** Pages so far. */
  paged = 0;
  readonly #target: URL;
  readonly #server: Server;

  /** @internal Use `startRelay`. */
  constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (asked, answer) =>
      this.#forward(asked, answer),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#server.closeAllConnections();
      await closed;
    });
  }

  /** @internal */
  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    if (this.page !== undefined) {
      asked.resume();
      this.paged += 1;
      show(this.page, answer);
      return;
    }
    const { manner } = this;
    const { hostname, port } = this.#target;
    const { method = 'GET', url: path = '/', headers } = asked;
    const onward = request({ hostname, port, method, path, headers, agent: false }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      if (!manner.holdsHeads) answer.flushHeaders();
      const delay = (lines: Omit<NextLine, 'path'>) => this.delay(Object.assign(lines, { path }));
      pass(answered.pipe(slowly(delay)), answer, manner.lump);
      answered.on('error', () => answer.destroy());
    });
    // A target that is gone is the connection's end, not a page: pages are for the schedule to show.
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }
}

/** Passes a body on in lumps; its end takes what is left along. */
function pass(answered: Readable, answer: ServerResponse, lump: number): void {
  let held: Buffer[] = [];
  let size = 0;
  const flush = () => {
    if (size > 0) answer.write(Buffer.concat(held));
    held = [];
    size = 0;
  };
  answered.on('data', (piece: Buffer) => {
    held.push(piece);
    size += piece.length;
    if (size >= lump) flush();
  });
  answered.on('end', () => {
    flush();
    answer.end();
  });
}

/** Passes a body on line by line, each of them when it may; takes all that the server says at once. */
function slowly(delay: (lines: Omit<NextLine, 'path'>) => Delay | undefined): Transform {
  let passed = 0;
  let arrived = 0;
  let begun = false;
  let last = Promise.resolve();
  const passLine = async (output: Transform, line: string): Promise<void> => {
    const { bytes, until } = (begun ? undefined : delay({ passed, arrived: () => arrived })) ?? {
      bytes: line.length,
    };
    if (bytes > 0) output.push(Buffer.from(line.slice(0, bytes), 'latin1'));
    if (until !== undefined) await until;
    if (bytes < line.length) output.push(Buffer.from(line.slice(bytes), 'latin1'));
    begun = !line.endsWith('\n');
    if (!begun) passed += 1;
  };
  return new Transform({
    transform(piece: Buffer, _, done) {
      // Every byte stays what it is.
      const lines = piece.toString('latin1').split(/(?<=\n)/);
      arrived += lines.filter((line) => line.endsWith('\n')).length;
      for (const line of lines) last = last.then(() => passLine(this, line));
      done();
    },
    flush(done) {
      void last.then(() => done());
    },
  });
}

function show(status: Page, answer: ServerResponse): void {
  const page = `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>a gateway</body></html>\n`;
  answer.writeHead(status, { 'Content-Type': 'text/html', 'Content-Length': page.length }).end(page);
}
