import {
  catchError,
  defer,
  distinctUntilChanged,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  race,
  switchMap,
  takeUntil,
  throwError,
  timeout,
  type Observable,
} from 'rxjs';
import { isRecord } from '../check.js';
import type { ClusterState } from '../cluster/cluster-state.js';
import { Cluster } from '../cluster/cluster.js';
import { within } from '../cluster/deadline.js';
import type { Member } from '../cluster/member.js';
import type { ForgettingProbe } from '../cluster/probe.js';
import { AllNodesDownError, ClientClosedError, TlsError, UnsupportedByServerError } from '../errors.js';
import { EventBus, type ClientEvent, type WithoutTime } from '../insight/events.js';
import type { ClientOptions, ConnectOptions, Settings } from '../options.js';
import type { HttpRequest } from '../transport/http.js';
import { TransportError } from '../transport/transport-error.js';
import { Transport } from '../transport/transport.js';
import { UnusableError } from '../transport/unusable.js';

/** How long `connect$` tries where no deadline is given, ms. */
const connectDeadlineMs = 5_000;

/** What a client has to know of the API that it speaks. */
export interface Api {
  /** How members are asked who they are and who leads. */
  readonly probeOf: (transport: Transport, settings: Settings) => ForgettingProbe;
  /** Whether the bodies of an exchange are never shown: they hold passwords. */
  readonly isConfidential: (exchange: Pick<HttpRequest, 'path' | 'operation'>) => boolean;
  /** What is told of a server without the API. */
  readonly unsupported: (endpoint: string, version: string | undefined) => WithoutTime<ClientEvent>;
}

/** What a client is whatever API it speaks: its connections, the cluster that it follows, what it tells, its end. */
export class ClientCore {
  readonly settings: Settings;
  readonly events: EventBus;
  readonly transport: Transport;
  readonly cluster: Cluster;

  constructor(settings: Settings, { probeOf, isConfidential, unsupported }: Api) {
    this.settings = settings;
    this.events = new EventBus(isConfidential);
    this.transport = new Transport(settings, this.events);
    const probe = probeOf(this.transport, settings);
    this.cluster = new Cluster(settings, probe, this.events, this.transport.tabs !== undefined);
    this.transport.trusts = (endpoint) => this.cluster.isTrusted(endpoint);
    this.transport.vouch$ = (endpoint) => this.cluster.vouch$(endpoint);
    this.cluster.whenUnsupported(unsupported);
    this.cluster.whenGone((endpoint) => {
      this.transport.forget(endpoint);
      probe.forget(endpoint);
    });
  }

  /** The leader now, then each change; keeps a Node process alive. Errors once no server has the API. */
  leader$(): Observable<Member | undefined> {
    const { cluster } = this;
    const keepAlive$ = interval(2 ** 31 - 1).pipe(ignoreElements());
    return defer(() =>
      cluster.closed
        ? throwError(() => new ClientClosedError('leader'))
        : merge(
            cluster.state$.pipe(
              map(({ leader }) => leader),
              distinctUntilChanged((a, b) => a?.id === b?.id && a?.name === b?.name),
            ),
            cluster.unsupported$((why) => new UnsupportedByServerError(`leader: ${why}`)),
            keepAlive$,
          ).pipe(takeUntil(cluster.closing$)),
    );
  }

  /** Probes every member now and emits the state that follows. */
  refreshCluster$(): Observable<ClusterState> {
    const { cluster } = this;
    return race(cluster.closed$, cluster.refresh$()).pipe(cluster.active());
  }

  /**
   * Emits once the members are known and the server was found to be what it should be.
   *
   * @param check$ finds out, in what is left of the deadline, ms
   */
  known$(deadline: number, check$: (left: number) => Observable<unknown>): Observable<unknown> {
    const { cluster } = this;
    const startedAt = performance.now();
    return cluster.known$().pipe(
      timeout({
        first: deadline,
        with: () =>
          throwError(
            () => new AllNodesDownError('connect', 'unreachable', { attempts: cluster.probeFailures }),
          ),
      }),
      catchError((error: unknown) => {
        const attempts = cluster.probeFailures;
        if (error instanceof UnusableError) throw error.toEtcdError('connect', { attempts });
        throw error instanceof TransportError ? new TlsError('connect', error.message, { attempts }) : error;
      }),
      switchMap(() => check$(within({ ...this.settings, deadline }, startedAt).deadline)),
      cluster.active(),
    );
  }

  close(): void {
    if (this.cluster.closed) return;
    this.cluster.close();
    this.events.close();
    this.transport.close();
  }

  /** One readable line, without options. */
  toString(): string {
    return `EtcdClient (${this.cluster.closed ? 'closed' : 'open'}) ${this.cluster.endpoints.join(' ')}`;
  }
}

/** What `connect$` was given: its own options, and what the client is made from. */
export interface Connecting {
  /** Undefined if none was given. */
  readonly checkKey: string | undefined;
  readonly deadline: number;
  readonly args: readonly [endpointsOrOptions: unknown, options: ClientOptions | undefined];
}

/** Tells the options of connecting from those of the client, which knows no `checkKey`. */
export function connecting(
  first: string | readonly string[] | ConnectOptions | undefined,
  rest: ConnectOptions | undefined,
): Connecting {
  const { checkKey, deadline = connectDeadlineMs } = { ...optionsIn(first), ...optionsIn(rest) };
  return { checkKey, deadline, args: [withoutCheckKey(first), withoutCheckKey(rest) as ClientOptions] };
}

/** Hands a client over once it is known to work, and completes; closes it if that fails, or if unsubscribed before. */
export function handedOver$<C extends { close: () => void }>(
  client: C,
  known$: Observable<unknown>,
): Observable<C> {
  let handedOver = false;
  return known$.pipe(
    map(() => {
      handedOver = true;
      return client;
    }),
    finalize(() => {
      if (!handedOver) client.close();
    }),
  );
}

const isOptions = (given: unknown): given is ConnectOptions => isRecord(given);

const optionsIn = (given: unknown): ConnectOptions => (isOptions(given) ? given : {});

function withoutCheckKey(given: unknown): unknown {
  if (!isOptions(given)) return given;
  const { checkKey: _, ...options } = given;
  return options;
}
