import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Socket } from 'node:net';
import {
  Observable,
  defer,
  exhaustMap,
  filter,
  fromEvent,
  map,
  of,
  retry,
  switchMap,
  take,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { canConnect$ } from '../ports/can-connect.js';
import { createDataDir } from '../etcd/data-dir.js';
import { freePorts } from '../ports/free-port.js';
import { Reaper } from '../etcd/reaper.js';

/** How a server is started. */
export interface ChildServerOptions {
  /** As in its messages. */
  readonly name: string;
  readonly program: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Its arguments; what they speak of is in the folder, which is empty at first and goes with the server. */
  readonly args: (port: number, folder: string) => readonly string[];
}

/** Log lines kept. */
const logLimit = 100;
/** Longest wait in ms for a process to do what it was told. */
const patience = 30_000;
/** Ports tried when somebody is faster. */
const tries = 5;

/**
 * Starts a program that listens for clients on a free loopback port, and emits it when it does; it lives until `close$`, and cannot
 * outlive this process.
 */
export function startChildServer(options: ChildServerOptions): Observable<ChildServer> {
  return freePorts(1).pipe(
    switchMap(([port]) => {
      const server = new ChildServer(options, port!);
      return server.listening$().pipe(map(() => server));
    }),
    retry({ count: tries, delay: (error: Error) => (isTaken(error) ? timer(0) : throwError(() => error)) }),
  );
}

/** A program that serves HTTP in front of another server, in a process of its own. */
export class ChildServer {
  readonly url: string;
  readonly #name: string;
  readonly #port: number;
  readonly #reaper: Reaper;
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;

  /** @internal Use `startChildServer`. */
  constructor({ name, program, args, env }: ChildServerOptions, port: number) {
    this.#name = name;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    const folder = createDataDir(name);
    this.#reaper = new Reaper(folder);
    const child = spawn(program, args(port, folder), {
      ...(env && { env }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const gone = (reason: string) => {
      if (this.#child === undefined) return;
      this.#child = undefined;
      this.#reaper.watch(undefined);
      this.#keep(reason);
    };
    this.#child = child;
    this.#reaper.watch(child.pid);
    createInterface(child.stderr).on('line', (line) => this.#keep(line));
    child.once('error', (error) => gone(error.message));
    child.once('close', (code, signal) => gone(`ended with ${signal ?? String(code)}`));
    child.unref();
    if (child.stderr instanceof Socket) child.stderr.unref();
  }

  /** Undefined once it has ended. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Its last lines on stderr. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** @internal Emits when it listens; errors with its log if it ends instead, and ends it if it never does. */
  listening$(): Observable<void> {
    return timer(0, 10).pipe(
      exhaustMap(() =>
        this.#child === undefined ? throwError(() => this.#error('ended')) : canConnect$(this.#port),
      ),
      filter(Boolean),
      take(1),
      map(() => undefined),
      timeout({
        first: patience,
        with: () => this.close$().pipe(map(() => this.#fail(`did not listen within ${patience} ms`))),
      }),
    );
  }

  /** Ends it, and removes its folder; emits when that is done. */
  close$(): Observable<void> {
    return defer(() => {
      const child = this.#child;
      if (child === undefined) return of(undefined);
      child.ref();
      const gone$ = fromEvent(child, 'close').pipe(take(1));
      child.kill('SIGKILL');
      return gone$;
    }).pipe(switchMap(() => this.#reaper.end$()));
  }

  #fail(problem: string): never {
    throw this.#error(problem);
  }

  #error(problem: string): Error {
    return new Error([`${this.#name} (${this.url}) ${problem}; its last lines:`, ...this.#log].join('\n'));
  }

  #keep(line: string): void {
    this.#log.push(line);
    this.#log.splice(0, this.#log.length - logLimit);
  }
}

const isTaken = ({ message }: Error): boolean => /address already in use/i.test(message);
