import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defer, firstValueFrom, type Observable } from 'rxjs';
import type { SeededRandom } from '../values/random.js';
import { resetSocket } from './reset-socket.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** What it does to one answer, or (the last two) to all connections while an answer passes. */
const faults = [
  /** Answers 500 with errorCode 300, and asks nobody. */
  'error300',
  /** Ends the connection in place of an answer. */
  'drop',
  /** Passes the request on later. */
  'delay',
  /** Ends the connection between the headers and the body. */
  'cut',
  /** Resets the connection at a random byte, within the headers as well. */
  'reset',
  /** Ends the answer, as if it were whole, at a random byte of its body. */
  'truncate',
  /** Resets all connections. */
  'resetAll',
  /** Silences one direction of all connections for a while, then lets everything pass or resets it. */
  'silence',
] as const;

export type Fault = (typeof faults)[number];

export interface FaultProxyOptions {
  readonly random: SeededRandom;
  /** How probable each is, per answer; the last two: per piece of a body. Default 0. */
  readonly probability: Partial<Record<Fault, number>>;
}

/** Starts a proxy for HTTP on a free loopback port that makes faults at random, until `heal`; it lives until `close$`. */
export function startFaultProxy(targetUrl: string, options: FaultProxyOptions): Observable<FaultProxy> {
  return defer(async () => {
    const proxy = new FaultProxy(targetUrl, options);
    await proxy.listen();
    return proxy;
  });
}

/** What is planned for an answer. */
interface Plan {
  readonly fault: Fault | undefined;
  /** The byte at which it happens. */
  readonly at: number;
}

const errorBody = JSON.stringify({
  errorCode: 300,
  message: 'Raft Internal Error',
  cause: 'etcdserver: request timed out',
  index: 0,
});
/** About as long as the headers of etcd and a few events. */
const mostBytes = 1_200;
const longestDelay = 60;

export class FaultProxy {
  /** How often each fault was made. */
  readonly made = new Map<Fault, number>();
  /** Answers to long polls whose headers passed. */
  polls = 0;
  readonly #options: FaultProxyOptions;
  readonly #target: URL;
  readonly #server: Server;
  readonly #timers = new Set<NodeJS.Timeout>();
  #front: TcpProxy | undefined;
  #isHealed = false;
  #isSilent = false;

  /** @internal Use `startFaultProxy`. */
  constructor(targetUrl: string, options: FaultProxyOptions) {
    this.#target = new URL(targetUrl);
    this.#options = options;
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
  }

  get url(): string {
    return this.#tcp.url;
  }

  /** All that it did, in one line. */
  get summary(): string {
    return [...this.made].map(([fault, count]) => `${fault} ${count}`).join(', ');
  }

  /** Makes no more faults; what a silence holds back is reset, as a firewall that forgets. */
  heal(): void {
    this.#isHealed = true;
    if (this.#isSilent) this.#tcp.reset();
    this.#isSilent = false;
    this.#tcp.resume();
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      this.#isHealed = true;
      this.#timers.forEach((timer) => clearTimeout(timer));
      await firstValueFrom(this.#tcp.close$());
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#server.closeAllConnections();
      await closed;
    });
  }

  /** @internal */
  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = this.#server.address() as AddressInfo;
    this.#front = await firstValueFrom(startTcpProxy(`http://127.0.0.1:${port}`));
  }

  get #tcp(): TcpProxy {
    if (this.#front === undefined) throw new Error('it does not listen yet');
    return this.#front;
  }

  #plan(): Plan {
    const { random, probability } = this.#options;
    const at = random.int(mostBytes);
    let left = random.next();
    const fault = faults.slice(0, -2).find((one) => (left -= probability[one] ?? 0) < 0);
    return { fault, at };
  }

  #make(fault: Fault, act: () => void): void {
    if (this.#isHealed) return;
    this.made.set(fault, (this.made.get(fault) ?? 0) + 1);
    act();
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const plan: Plan = this.#isHealed ? { fault: undefined, at: 0 } : this.#plan();
    if (plan.fault === 'drop') {
      this.#make('drop', () => asked.socket.destroy());
    } else if (plan.fault === 'error300') {
      this.#make('error300', () => {
        asked.resume();
        answer.writeHead(500, { 'Content-Type': 'application/json', 'X-Etcd-Index': '0' }).end(errorBody);
      });
    } else if (plan.fault === 'delay') {
      this.#make('delay', () => this.#later(plan.at % longestDelay, () => this.#ask(asked, answer, plan)));
    } else {
      this.#ask(asked, answer, plan);
    }
  }

  #ask(asked: IncomingMessage, answer: ServerResponse, plan: Plan): void {
    const { hostname, port } = this.#target;
    const { method = 'GET', url: path = '/', headers } = asked;
    const onward = request({ hostname, port, method, path, headers, agent: false }, (answered) => {
      if (path.includes('wait=true') && !path.includes('stream=true')) this.polls += 1;
      this.#answer(answered, answer, plan);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }

  #answer(answered: IncomingMessage, answer: ServerResponse, { fault, at }: Plan): void {
    // Without its length an answer that ends too early looks whole.
    const { 'content-length': _, ...headers } = answered.headers;
    const status = answered.statusCode ?? 502;
    const head = [
      `HTTP/1.1 ${status} OK`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
    ].join('\r\n');
    let left = fault === 'reset' ? at - head.length : at;
    if (left < 0 && fault === 'reset' && !this.#isHealed) {
      this.#make(fault, () => {
        answer.socket?.write(head.slice(0, at), () => this.#reset(answer));
      });
      return;
    }
    answer.writeHead(status, headers);
    answer.flushHeaders();
    answered.on('error', () => answer.destroy());
    answered.on('end', () => answer.end());
    answered.on('data', (piece: Buffer) => {
      if (answer.writableEnded || answer.destroyed) return;
      if (fault === 'cut' && !this.#isHealed) {
        this.#make(fault, () => setImmediate(() => answer.destroy()));
        answered.destroy();
        return;
      }
      // Of a short body all but its end: it is never whole.
      const end = Math.min(left, piece.length - 2);
      left -= piece.length;
      const isHere = !this.#isHealed && (fault === 'truncate' || (fault === 'reset' && left < 0));
      if (isHere) {
        const act = fault === 'reset' ? () => this.#reset(answer) : () => answer.end();
        this.#make(fault, () => answer.write(piece.subarray(0, end), act));
        return;
      }
      answer.write(piece);
      this.#shake();
    });
  }

  #reset({ socket }: ServerResponse): void {
    if (socket !== null) resetSocket(socket);
  }

  /** While a piece passes: something may happen to all connections. */
  #shake(): void {
    const { random, probability } = this.#options;
    if (this.#isHealed || this.#isSilent) return;
    if (random.next() < (probability.resetAll ?? 0)) this.#make('resetAll', () => this.#tcp.reset());
    else if (random.next() < (probability.silence ?? 0)) this.#make('silence', () => this.#silence());
  }

  #silence(): void {
    const { random } = this.#options;
    const isReset = random.int(2) === 0;
    this.#isSilent = true;
    this.#tcp.pause(random.pick(['toTarget', 'toClient']));
    this.#later(100 + random.int(500), () => {
      if (!this.#isSilent) return;
      this.#isSilent = false;
      if (isReset) this.#tcp.reset();
      this.#tcp.resume();
    });
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }
}
