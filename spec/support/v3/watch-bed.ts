import { map, of, Subject, takeUntil, type Observable } from 'rxjs';
import { EventBus } from '../../../lib/insight/events.js';
import { resolveOptions, type ClientOptions } from '../../../lib/options.js';
import { Transport } from '../../../lib/transport/transport.js';
import { ConnectionSlots, scarceLegs } from '../../../lib/watch/connection-slots.js';
import { WatchSource } from '../../../lib/watch/watch-source.js';
import { withInitialState$ } from '../../../lib/watch/initial-state.js';
import type { V3Context } from '../../../lib/v3/context.js';
import { SeenRevision } from '../../../lib/v3/seen-revision.js';
import { boundsOf, type Bounds, type KeyRange } from '../../../lib/v3/model/key-range.js';
import type { TokenKeeper } from '../../../lib/v3/token-keeper.js';
import type { WatchEvent } from '../../../lib/v3/model/watch-event.js';
import { gatewayWatch$ } from '../../../lib/v3/watch/gateway-watch.js';
import type { LegContext } from '../../../lib/v3/watch/leg-context.js';
import { memberRange$ } from '../../../lib/v3/watch/member-range.js';
import { V3Watch } from '../../../lib/v3/watch/v3-watch.js';
import type { WatchPosition } from '../../../lib/v3/watch/watch-position.js';
import { WatchStreams } from '../../../lib/v3/watch/watch-streams.js';
import type { V3Target } from '../../../lib/v3/watch/watch-target.js';
import { eventually } from '../jest/eventually.js';

/** A watch and all that it has told so far. */
export interface V3WatchLog {
  readonly source: WatchSource<WatchEvent, WatchPosition, V3Target>;
  readonly events: WatchEvent[];
  /** `put /a=1@5`, `delete /a@6`, `resync compacted@9`. */
  readonly lines: string[];
  readonly seen: { error?: unknown };
  readonly stop: () => void;
  /** Waits until it stands. */
  live(): Promise<V3WatchLog>;
  /** Waits for an event whose line begins so. */
  until(line: string): Promise<void>;
}

/**
 * Watches over the gateway of one member, or of whichever the spec names at the time; without a cluster's heartbeat.
 *
 * @param tokens where tokens come from. Default: none are sent
 */
export function watchBed(version: string, options: ClientOptions = {}, tokens?: TokenKeeper) {
  const settings = resolveOptions({
    timeout: 10_000,
    retry: { initialDelay: 10, maxDelay: 100 },
    ...options,
  });
  const events = new EventBus();
  const transport = new Transport(settings, events);
  const closing$ = new Subject<void>();
  const restarted$ = new Subject<void>();
  const bed = {
    endpoint: settings.endpoints[0] ?? '',
    /** Where a second member is asked. */
    other: settings.endpoints.at(-1) ?? '',
    version,
    openBodies: transport.abilities.openBodies,
    transport,
    /** Each stream that was opened. */
    opened: [] as string[],
    /** How often a member was asked whether it answers elsewhere. */
    asked: 0,
  };
  const cluster = {
    closing$,
    watchEndpoint$: (): Observable<string> => of(bed.endpoint),
    leave$: (_: string, toError: (reason: string) => Error) =>
      restarted$.pipe(
        map(() => {
          throw toError('the cluster was rebuilt');
        }),
        takeUntil(closing$),
      ),
    readEndpoint: () => bed.other,
    enter: () => () => undefined,
    dropped: () => undefined,
    knows: () => true,
    version: () => version,
    heard: () => undefined,
    sawTerm: () => undefined,
    view: {},
  };
  const v3 = {
    settings,
    events,
    transport,
    cluster,
    seen: new SeenRevision(() => {
      queueMicrotask(() => {
        restarted$.next();
      });
    }),
    token: () => tokens?.current,
    tokens,
  } as unknown as V3Context;
  const streams = new WatchStreams({
    get openBodies() {
      return bed.openBodies;
    },
    open$: (endpoint, requests) => {
      bed.opened.push('subscribe' in requests ? 'open' : 'closed');
      return gatewayWatch$(v3, endpoint, requests);
    },
    answers$: (endpoint) => {
      bed.asked += 1;
      return memberRange$(v3, endpoint, { ...boundsOf('range', 'x'), limit: 1 });
    },
    version: () => bed.version,
    token: v3.token,
  });
  const context: LegContext = { ...v3, streams, slots: new ConnectionSlots(scarceLegs) };
  let id = 0;

  function watch(
    range: KeyRange | Bounds,
    {
      from,
      initial = false,
      prevKv = false,
      only,
    }: { from?: number; initial?: boolean; prevKv?: boolean; only?: 'put' | 'delete' } = {},
  ): V3WatchLog {
    const target: V3Target = {
      key: JSON.stringify(range),
      range: 'x',
      progress: false,
      bounds: isBounds(range) ? range : boundsOf('range', range),
      prevKv,
      only,
    };
    const source = new WatchSource<WatchEvent, WatchPosition, V3Target>(
      context,
      new V3Watch(context, target),
      { id: (id += 1), target, from },
      () => undefined,
      () => undefined,
    );
    const log: WatchEvent[] = [];
    const lines: string[] = [];
    const seen: { error?: unknown } = {};
    const subscription = (initial ? withInitialState$(source) : source.events$).subscribe({
      next: (event) => {
        log.push(event);
        lines.push(lineOf(event));
      },
      error: (error: unknown) => (seen.error = error),
    });
    const self: V3WatchLog = {
      source,
      events: log,
      lines,
      seen,
      stop: () => {
        subscription.unsubscribe();
      },
      live: async () => {
        await eventually(() => source.run?.stage === 'live' || failure(seen, lines));
        return self;
      },
      until: async (line) => {
        await eventually(() => lines.some((one) => one.startsWith(line)) || failure(seen, lines));
      },
    };
    return self;
  }

  return Object.assign(bed, {
    streams,
    seen: v3.seen,
    watch,
    close: () => {
      closing$.next();
      transport.close();
    },
  });
}

/** Past the checks of the library. */
const isBounds = (range: KeyRange | Bounds): range is Bounds => typeof range === 'object' && 'key' in range;

function failure(seen: { error?: unknown }, lines: readonly string[]): never {
  throw new Error(`seen so far: ${lines.slice(-10).join(', ')}`, { cause: seen.error });
}

function lineOf(event: WatchEvent): string {
  const { type, revision } = event;
  if (type === 'put') return `put ${event.kv.key}=${event.kv.value}@${revision}`;
  if (type === 'delete') return `delete ${event.key}@${revision}`;
  if (type === 'live' || type === 'progress') return `${type}@${revision}`;
  return `${type}${type === 'resync' ? ` ${event.reason}` : ''} ${event.kvs.map(({ key, value }) => `${key}=${value}`).join(' ')}@${revision}`;
}

/** Past the library: one call to the gateway. @param limitMs after which it is given up. Default: never */
export async function gatewayCall(
  url: string,
  path: string,
  body: object,
  limitMs?: number,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    ...(limitMs === undefined ? {} : { signal: AbortSignal.timeout(limitMs) }),
  });
  return (await response.json()) as Record<string, unknown>;
}
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Past the library: writes a key; resolves with its revision. */
export async function putPast(url: string, key: string, value: string): Promise<number> {
  const { header } = (await gatewayCall(url, 'kv/put', { key: base64(key), value: base64(value) })) as {
    header: { revision: string };
  };
  return Number(header.revision);
}

/** Past the library: deletes a key. */
export const deletePast = (url: string, key: string) =>
  gatewayCall(url, 'kv/deleterange', { key: base64(key) });

/** Past the library: what lies before that revision goes. */
export const compactPast = (url: string, revision: number) =>
  gatewayCall(url, 'kv/compaction', { revision: String(revision) });
