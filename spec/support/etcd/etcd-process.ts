import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
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
  timer,
  timeout,
} from 'rxjs';
import { canConnect$ } from '../ports/can-connect.js';
import { createDataDir } from './data-dir.js';
import { etcdEnv } from './etcd-env.js';
import { etcdFlags } from './etcd-flags.js';
import type { EtcdTiming, EtcdTls } from './etcd-flags.js';
import type { EtcdBinary } from './find-etcd.js';
import { hasLeader$ } from '../cluster/named-leader.js';
import type { PeerLink } from '../cluster/peer-network.js';
import { isStandingStill } from './process-state.js';
import { Reaper } from './reaper.js';
import type { MemberState, TestMember } from '../cluster/test-cluster.js';

export interface EtcdProcessOptions {
  binary: EtcdBinary;
  /** Default 0. */
  index?: number;
  /** Default 'etcd1' for index 0. */
  name?: string;
  clientPort: number;
  /** Also listens for clients with TLS, on a port of its own. */
  tls?: EtcdTls & { port: number };
  /** Where it listens for other members. */
  peerPort: number;
  /** What the members call each other by, per name. Default: itself alone at `peerPort`. */
  peerUrls?: Record<string, string>;
  /** Its connections with the others, if they can be cut. Default: they cannot. */
  peerLink?: PeerLink;
  timing?: EtcdTiming;
  /** More flags of etcd, as on its command line; they win over those given here. */
  flags?: string[];
}

/** Log lines kept. */
const logLimit = 100;
/** Longest wait in ms for a process to do what it was told. */
const patience = 30_000;

/** One etcd process on a data folder of its own; it cannot outlive this process. Operations are cold, emit once and complete. */
export class EtcdProcess implements TestMember {
  readonly index: number;
  readonly name: string;
  readonly clientUrl: string;
  /** The same with TLS; empty without. */
  readonly secureUrl: string;
  /** What the other members call it by. */
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly #options: EtcdProcessOptions;
  readonly #reaper: Reaper;
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;
  #stopped = false;

  constructor(options: EtcdProcessOptions) {
    const { index = 0, name = `etcd${index + 1}`, clientPort, tls, peerPort, peerUrls } = options;
    this.#options = options;
    this.index = index;
    this.name = name;
    this.clientUrl = `http://127.0.0.1:${clientPort}`;
    this.secureUrl = tls === undefined ? '' : `https://127.0.0.1:${tls.port}`;
    this.peerUrl = peerUrls?.[name] ?? `http://127.0.0.1:${peerPort}`;
    this.dataDir = createDataDir(name);
    this.#reaper = new Reaper(this.dataDir);
  }

  /** Undefined unless it is alive. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get state(): MemberState {
    if (this.#child === undefined) return 'down';
    return this.#stopped ? 'stopped' : 'running';
  }

  get partitioned(): boolean {
    return this.#options.peerLink?.isCut ?? false;
  }

  /** Its last lines on stderr, over all its lives. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Emits when it listens for clients; it may not answer yet (see `ready$`). Errors with its log if it ends instead. */
  start$(): Observable<void> {
    return defer(() => {
      if (this.#child !== undefined) return this.#listening$();
      // Asked first, or a stranger on the port would be taken for this member.
      return canConnect$(this.#options.clientPort).pipe(
        switchMap((taken) => {
          if (taken) throw new Error(`${this.clientUrl}: address already in use`);
          this.#spawn();
          return this.#listening$();
        }),
      );
    });
  }

  /** Emits when it names a leader. */
  ready$(): Observable<void> {
    return timer(0, 10).pipe(
      exhaustMap(() => this.#alive(hasLeader$(this.clientUrl))),
      filter(Boolean),
      take(1),
      map(() => undefined),
      this.#limited('named no leader'),
    );
  }

  kill$(): Observable<void> {
    return defer(() => {
      const child = this.#child;
      if (child === undefined) return of(undefined);
      child.ref();
      const gone$ = fromEvent(child, 'close').pipe(
        take(1),
        map(() => undefined),
        this.#limited('did not end'),
      );
      child.kill('SIGKILL');
      return gone$;
    });
  }

  stop$(): Observable<void> {
    return this.#signal('SIGSTOP', true);
  }

  resume$(): Observable<void> {
    return this.#signal('SIGCONT', false);
  }

  partition$(): Observable<void> {
    return defer(() => {
      this.#peerLink().cut();
      return of(undefined);
    });
  }

  heal$(): Observable<void> {
    return defer(() => {
      this.#peerLink().join();
      return of(undefined);
    });
  }

  /**
   * Waits for its ports should somebody have taken one meanwhile. A member that was killed before it was ready for the first time
   * may never name a leader again: etcd had not yet written down who belongs to the cluster.
   */
  restart$(): Observable<void> {
    return this.kill$().pipe(
      switchMap(() => this.start$()),
      retry({
        count: 50,
        delay: (error: unknown) => (isPortTaken(error) ? timer(100) : throwError(() => error)),
      }),
    );
  }

  terminate$(): Observable<void> {
    return this.kill$().pipe(switchMap(() => this.#reaper.end$()));
  }

  /** `terminate$` without waiting. */
  abandon(): void {
    this.#child?.kill('SIGKILL');
    this.#reaper.end();
  }

  #peerLink(): PeerLink {
    const { peerLink } = this.#options;
    if (peerLink === undefined) throw new Error(`${this.name} was started without \`partitions\``);
    return peerLink;
  }

  #listening$(): Observable<void> {
    return timer(0, 5).pipe(
      exhaustMap(() => this.#alive(canConnect$(this.#options.clientPort))),
      filter(Boolean),
      take(1),
      map(() => undefined),
      this.#limited('did not listen'),
    );
  }

  #spawn(): void {
    const { binary, tls, peerPort, peerUrls, timing, flags } = this.#options;
    const args = etcdFlags({
      version: binary.version,
      name: this.name,
      dataDir: this.dataDir,
      clientUrl: this.clientUrl,
      ...(tls && { secure: { ...tls, url: this.secureUrl } }),
      listenPeerUrl: `http://127.0.0.1:${peerPort}`,
      peerUrls: peerUrls ?? { [this.name]: this.peerUrl },
      ...(timing && { timing }),
      ...(flags && { flags }),
    });
    const child = spawn(binary.path, args, { env: etcdEnv(), stdio: ['ignore', 'ignore', 'pipe'] });
    const gone = (reason: string) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#reaper.watch(undefined);
      this.#keep(reason);
    };
    this.#child = child;
    this.#stopped = false;
    this.#reaper.watch(child.pid);
    createInterface(child.stderr).on('line', (line) => this.#keep(line));
    child.once('error', (error) => gone(error.message));
    // 'close' comes when the last line was read as well, 'exit' may come before it.
    child.once('close', (code, signal) => gone(`ended with ${signal ?? code}`));
    // A forgotten member must not keep this process from ending; the reaper sees to the rest.
    child.unref();
    if (child.stderr instanceof Socket) child.stderr.unref();
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT', stopped: boolean): Observable<void> {
    return defer(() => {
      const pid = this.#child?.pid;
      if (pid === undefined) throw new Error(`${this.name} is down`);
      this.#child?.kill(signal);
      this.#stopped = stopped;
      return timer(0, 2).pipe(
        filter(() => isStandingStill(pid) === stopped),
        take(1),
        map(() => undefined),
        this.#limited(`took no ${signal}`),
      );
    });
  }

  /** `answer$`, unless the process ended. */
  #alive<T>(answer$: Observable<T>): Observable<T> {
    return this.#child === undefined ? throwError(() => this.#error('ended')) : answer$;
  }

  #limited<T>(problem: string) {
    return timeout<T, Observable<never>>({
      first: patience,
      with: () => throwError(() => this.#error(`${problem} within ${patience} ms`)),
    });
  }

  #error(problem: string): Error {
    return new Error(
      [`${this.name} (${this.clientUrl}) ${problem}; its last lines:`, ...this.#log].join('\n'),
    );
  }

  #keep(...lines: string[]): void {
    this.#log.push(...lines);
    this.#log.splice(0, this.#log.length - logLimit);
  }
}

/** Whether a member could not start because somebody else listens on its port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes('address already in use');
}
