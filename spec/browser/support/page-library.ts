import axios from 'axios';
import {
  EtcdClient,
  EtcdError,
  type ClientEvent,
  type ClientOptions,
  type WatchEvent,
  type WatchOptions,
} from 'rxetcd';
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

export type Outcome = { readonly values: unknown[] } | { readonly error: ToldError };

/** What runs in the page, for a spec that sits outside: clients and watches by their numbers. */
export class PageLibrary {
  readonly #clients: EtcdClient[] = [];
  readonly #events: ClientEvent[][] = [];
  readonly #states: string[][] = [];
  readonly #watches: Followed[] = [];

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
