import axios from 'axios';
import {
  EtcdClient,
  EtcdError,
  type ClientEvent,
  type ClientOptions,
  type WatchEvent,
  type WatchOptions,
} from 'rxetcd';
import {
  EtcdClient as V3Client,
  type KeyRange,
  type WatchEvent as V3Event,
  type WatchOptions as V3WatchOptions,
} from 'rxetcd/v3';
import { lastValueFrom, toArray, type Observable } from 'rxjs';

/** The options of a client that can be told to a page. */
export type PageOptions = Omit<ClientOptions, 'axios'> & {
  /** An axios instance of the user's own: as it comes, or with this adapter. Default: none. */
  ownAxios?: 'as it comes' | 'xhr' | 'fetch';
};

/** The calls of a client whose arguments and values can be told. */
export type CallName = {
  [K in keyof EtcdClient]: EtcdClient[K] extends (...args: never[]) => Observable<unknown> ? K : never;
}[keyof EtcdClient];

/** The same of a client of the v3 API. */
export type V3CallName = {
  [K in keyof V3Client]: V3Client[K] extends (...args: never[]) => Observable<unknown> ? K : never;
}[keyof V3Client];

/** What an error says, which cannot leave the page as it is. */
interface ToldError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly errorCode?: number;
}

/** How a watch stands in the page. */
export interface ToldWatch {
  readonly events: readonly WatchEvent[];
  readonly completed: boolean;
  readonly error?: ToldError;
}

interface Followed extends ToldWatch {
  completed: boolean;
  error?: ToldError;
  end: () => void;
}

/** A watch of the v3 API in the page. */
export interface V3Told {
  /** As they print: keys and values as text. */
  readonly events: readonly V3Event[];
  readonly stages: readonly string[];
  readonly error?: ToldError;
}

interface V3Followed extends V3Told {
  error?: ToldError;
  end: () => void;
}

export type Outcome = { readonly values: unknown[] } | { readonly error: ToldError };

/** What runs in the page, for a spec that sits outside: clients and watches by their numbers. */
export class PageLibrary {
  readonly #clients: EtcdClient[] = [];
  readonly #events: ClientEvent[][] = [];
  readonly #states: string[][] = [];
  readonly #watches: Followed[] = [];
  readonly #v3Clients: V3Client[] = [];
  readonly #v3Watches: V3Followed[] = [];

  open({ ownAxios, ...options }: PageOptions): number {
    const instance =
      ownAxios === undefined
        ? {}
        : { axios: axios.create(ownAxios === 'as it comes' ? {} : { adapter: ownAxios }) };
    const client = new EtcdClient({ ...options, ...instance });
    const events: ClientEvent[] = [];
    client.events$.subscribe((event) => events.push(event));
    const states: string[] = [];
    client.clusterState$.subscribe((state) => states.push(String(state)));
    this.#events.push(events);
    this.#states.push(states);
    return this.#clients.push(client) - 1;
  }

  async call(client: number, name: CallName, args: unknown[]): Promise<Outcome> {
    try {
      const call = this.#client(client)[name] as (...args: unknown[]) => Observable<unknown>;
      return { values: await lastValueFrom(call.apply(this.#client(client), args).pipe(toArray())) };
    } catch (error) {
      return { error: told(error) };
    }
  }

  watch(client: number, key: string, options: WatchOptions): number {
    const events: WatchEvent[] = [];
    const watch: Followed = { events, completed: false, end: () => undefined };
    const subscription = this.#client(client)
      .watch$(key, options)
      .subscribe({
        next: (event) => events.push(event),
        error: (error: unknown) => (watch.error = told(error)),
        complete: () => (watch.completed = true),
      });
    watch.end = () => {
      subscription.unsubscribe();
    };
    return this.#watches.push(watch) - 1;
  }

  openV3(options: PageOptions): number {
    return this.#v3Clients.push(new V3Client(options)) - 1;
  }

  async callV3(client: number, name: V3CallName, args: unknown[]): Promise<Outcome> {
    try {
      const owner = this.#v3Clients[client]!;
      const call = owner[name] as (...args: unknown[]) => Observable<unknown>;
      return { values: await lastValueFrom(call.apply(owner, args).pipe(toArray())) };
    } catch (error) {
      return { error: told(error) };
    }
  }

  watchV3(client: number, range: KeyRange, options: V3WatchOptions): number {
    const events: V3Event[] = [];
    const stages: string[] = [];
    const watch: V3Followed = { events, stages, end: () => undefined };
    const owner = this.#v3Clients[client]!;
    const staging = owner.events$.subscribe(({ type }) => {
      if (type.startsWith('watch-')) stages.push(type);
    });
    const following = owner.watch$(range, options).subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => (watch.error = told(error)),
    });
    watch.end = () => {
      following.unsubscribe();
      staging.unsubscribe();
    };
    return this.#v3Watches.push(watch) - 1;
  }

  watchedV3(watch: number): V3Told {
    const { end: _, ...rest } = this.#v3Watches[watch]!;
    return rest;
  }

  unwatchV3(watch: number): void {
    this.#v3Watches[watch]!.end();
  }

  stateV3(client: number): string {
    return String(this.#v3Clients[client]!.clusterState$.value);
  }

  closeV3(client: number): void {
    this.#v3Clients[client]!.close();
  }

  watched(watch: number): ToldWatch {
    const { end: _, ...rest } = this.#watches[watch]!;
    return rest;
  }

  /** How far it has come: the events so far, and the index of the last. */
  progress(watch: number): { count: number; index: number; error?: ToldError } {
    const { events, error } = this.#watches[watch]!;
    return {
      count: events.length,
      index: events.at(-1)?.index ?? 0,
      ...(error === undefined ? {} : { error }),
    };
  }

  unwatch(watch: number): void {
    this.#watches[watch]!.end();
  }

  events(client: number): readonly ClientEvent[] {
    return this.#events[client]!;
  }

  /** One line, as `clusterState$` prints it. */
  state(client: number): string {
    return String(this.#client(client).clusterState$.value);
  }

  states(client: number): readonly string[] {
    return this.#states[client]!;
  }

  leader(client: number): string | undefined {
    return this.#client(client).clusterState$.value.leader?.name;
  }

  close(client: number): void {
    this.#client(client).close();
  }

  /** Another tab, which knows nothing of this one. */
  show(url: string): void {
    open(url, '_blank', 'noopener');
  }

  /** This tab is closed. */
  leave(): void {
    close();
  }

  /** Takes that many connections for good, as another application may. */
  hold(url: string, count: number): void {
    for (let i = 0; i < count; i += 1) void fetch(`${url}&i=${String(i)}`).catch(() => undefined);
  }

  #client(client: number): EtcdClient {
    return this.#clients[client]!;
  }
}

function told(error: unknown): ToldError {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) };
  const { name, message } = error;
  const code = error instanceof EtcdError ? { code: error.code } : {};
  const errorCode = 'errorCode' in error ? { errorCode: error.errorCode as number } : {};
  return { name, message, ...code, ...errorCode };
}

/** What the page is asked to do, and what came of it. */
export interface Command {
  readonly id: number;
  readonly name: keyof PageLibrary;
  readonly args: readonly unknown[];
}
export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

const library = new PageLibrary();
const commands = new URLSearchParams(location.search).get('commands')!;

async function obey({ id, name, args }: Command): Promise<void> {
  const call = library[name] as (...args: readonly unknown[]) => unknown;
  const answer = await Promise.resolve()
    .then(() => call.apply(library, [...args]))
    .then(
      (value): Answer => ({ value }),
      (error: unknown): Answer => ({ error: String(error) }),
    );
  await fetch(commands, { method: 'POST', body: JSON.stringify({ id, ...answer }) });
}

/** Commands side by side: one that takes its time holds up no other. */
async function serve(): Promise<never> {
  for (;;) {
    for (const command of (await (await fetch(commands)).json()) as Command[]) void obey(command);
  }
}

void serve();
