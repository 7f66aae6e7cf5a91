import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Observable, defer } from 'rxjs';

export interface HttpProxyOptions {
  /** Asks for these by Proxy-Authorization and answers 407 without them. Default: serves everybody. */
  credentials?: { username: string; password: string };
}

/** Starts a forward proxy on a free loopback port: plain http by its absolute URL, all else by CONNECT. It lives until `close$`. */
export function startHttpProxy(options: HttpProxyOptions = {}): Observable<HttpProxy> {
  return defer(async () => {
    const proxy = new HttpProxy(options);
    await proxy.listen();
    return proxy;
  });
}

export class HttpProxy {
  /** What went through, in order: `GET http://127.0.0.1:2379/v2/keys/a` or `CONNECT 127.0.0.1:2379`. */
  readonly passed: string[] = [];
  /** The headers of each forwarded request, and of each CONNECT. */
  readonly headers: IncomingMessage['headers'][] = [];
  /** How often it answered 407. */
  refusals = 0;
  readonly #wanted: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  /** @internal Use `startHttpProxy`. */
  constructor({ credentials }: HttpProxyOptions) {
    this.#wanted = credentials && `Basic ${btoa(`${credentials.username}:${credentials.password}`)}`;
    this.#server = createServer((message, response) => this.#forward(message, response));
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('connect', (message: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#tunnel(message, socket, head),
    );
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      if (!this.#server.listening) return;
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#sockets.forEach((socket) => socket.destroy());
      await closed;
    });
  }

  /** @internal */
  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #mayPass({ method = '', url = '', headers }: IncomingMessage): boolean {
    if (this.#wanted !== undefined && headers['proxy-authorization'] !== this.#wanted) {
      this.refusals += 1;
      return false;
    }
    this.passed.push(`${method} ${url.split('?')[0] ?? ''}`);
    this.headers.push(headers);
    return true;
  }

  #forward(message: IncomingMessage, response: ServerResponse): void {
    if (!this.#mayPass(message)) {
      message.resume();
      response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="proxy"' }).end('credentials, please');
      return;
    }
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = message.headers;
    const { method = 'GET', url = '' } = message;
    if (!URL.canParse(url)) {
      response.writeHead(400).end('an absolute URL, please');
      return;
    }
    const onward = request(url, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on('close', () => onward.destroy());
    message.pipe(onward);
  }

  #tunnel(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#keep(socket);
    if (!this.#mayPass(message)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${message.url ?? ''}`);
    const target = connect(Number(port || 80), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    this.#keep(target);
    target.on('close', () => socket.destroy());
    socket.on('close', () => target.destroy());
  }
}
