import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type * as Rx from 'rxjs';
import { Observable, defer, filter, fromEvent, map, merge, switchMap, take, tap, throwError } from 'rxjs';
import type { EmbeddedCluster, EmbeddedClusterOptions, EmbeddedMember } from 'rxetcd/testing';

export type MemberAction = 'kill$' | 'restart$' | 'freeze' | 'resume' | 'partition' | 'heal';
interface Command {
  id: number;
  member: number;
  action: MemberAction;
}
interface Report {
  endpoints?: string[];
  states?: EmbeddedMember['state'][];
  /** Of a command. */
  done?: number;
  error?: string;
}

/** Where the library stands, compiled by Jest's global setup (`embedded-library.js`). */
const library = join(process.cwd(), 'node_modules/.cache/rxetcd-embedded');

/** An embedded cluster in a process of its own, so that it shares no event loop with the tests; it cannot outlive this process. */
export class EmbeddedProcess {
  readonly #child: ChildProcess;
  readonly #report$: Observable<Report>;
  #states: Report['states'] = [];
  #commands = 0;

  private constructor(size: number, options: EmbeddedClusterOptions) {
    const script = `import { EmbeddedCluster } from './testing/embedded-cluster.js';
      import * as rx from 'rxjs';
      await (${serve.toString()})(EmbeddedCluster, rx, ${size}, ${JSON.stringify(options)});`;
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: library,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#report$ = merge(
      fromEvent(this.#child, 'message', (report: Report) => report),
      fromEvent(this.#child, 'exit').pipe(
        switchMap(() => throwError(() => new Error('the embedded cluster’s process has ended'))),
      ),
    );
    this.#child.on('message', ({ states }: Report) => (this.#states = states ?? this.#states));
  }

  /** Emits it, and where its members listen. */
  static start$(
    size: number,
    options: EmbeddedClusterOptions,
  ): Observable<{ process: EmbeddedProcess; endpoints: string[] }> {
    return defer(() => {
      const process = new EmbeddedProcess(size, options);
      return process.#report$.pipe(
        map(({ endpoints }) => endpoints),
        filter((endpoints) => endpoints !== undefined),
        take(1),
        map((endpoints) => ({ process, endpoints })),
      );
    });
  }

  /** As the member told last. */
  stateOf(member: number): EmbeddedMember['state'] {
    return this.#states?.[member] ?? 'dead';
  }

  /** Has a member do something; emits once it is done and its state is known here. */
  command$(member: number, action: MemberAction): Observable<void> {
    return defer(() => {
      const command: Command = { id: ++this.#commands, member, action };
      this.#child.send(command);
      return this.#report$.pipe(
        filter(({ done }) => done === command.id),
        take(1),
        tap(({ error }) => {
          if (error !== undefined) throw new Error(error);
        }),
        map(() => undefined),
      );
    });
  }

  /** Ends it. */
  end$(): Observable<void> {
    return defer(() => {
      const ended$ = fromEvent(this.#child, 'exit').pipe(take(1));
      this.#child.disconnect();
      return ended$.pipe(map(() => undefined));
    });
  }
}

/** Runs in the child: it may use nothing but its arguments. */
async function serve(
  { start$ }: typeof EmbeddedCluster,
  { firstValueFrom, isObservable, of }: typeof Rx,
  size: number,
  options: EmbeddedClusterOptions,
): Promise<void> {
  process.on('disconnect', () => process.exit());
  const { members, endpoints } = await firstValueFrom(start$(size, options));
  const tell = (report: Report) => process.send?.({ ...report, states: members.map(({ state }) => state) });
  process.on('message', ({ id, member, action }: Command) => {
    Promise.resolve()
      .then(() => members[member]?.[action]())
      .then((result) => firstValueFrom(isObservable(result) ? result : of(undefined)))
      .then(
        () => tell({ done: id }),
        (error: unknown) => tell({ done: id, error: String(error) }),
      );
  });
  // A member may end by itself: one that was removed does.
  setInterval(() => tell({}), 50);
  tell({ endpoints });
}
