import {
  BehaviorSubject,
  concat,
  defer,
  EMPTY,
  endWith,
  filter,
  ignoreElements,
  map,
  merge,
  Observable,
  of,
  take,
  tap,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { ClientClosedError, type Attempt } from '../errors.js';
import type { ClientEvent, EventBus, WithoutTime } from '../insight/events.js';
import type { Settings } from '../options.js';
import { TransportError } from '../transport/transport-error.js';
import { Activity, type Ending } from './activity.js';
import { ChangeReporter } from './change-reporter.js';
import { ClusterState } from './cluster-state.js';
import { ClusterState$, type ClusterStateControl } from './cluster-state-subject.js';
import { heartbeats$ } from './heartbeats.js';
import { InFlight } from './in-flight.js';
import { instant } from '../util/instant.js';
import type { Member } from './member.js';
import type { Probe } from './probe.js';
import { Notices } from './notices.js';
import { Prober } from './prober.js';
import { advertises, EndpointTable } from './endpoint-table.js';
import { Router } from './router.js';
import { Limits } from '../util/limits.js';
import { LinkedList, type Link } from '../util/linked-list.js';
import { sameList } from '../util/same-list.js';
import { leaderVote } from './leader-vote.js';
import { untried, type Tried } from './tried.js';
import { Vouching } from '#platform/cluster/vouching.js';
import { deriveView, sameView, type View } from './view.js';

/**
 * The live picture of one cluster. It is fed by probes and by the fate of every request, keeps `state$`, and says
 * where reads, writes and watches go. Its heartbeat runs while somebody is `active`.
 */
export class Cluster {
  /** The public state. */
  readonly state$: ClusterState$;
  /** Emits once the client is closed. */
  readonly closing$: Observable<unknown>;
  /** Never emits; errors with ClientClosedError once the client is closed. */
  readonly closed$: Observable<never>;
  readonly #view$: BehaviorSubject<View>;
  #view: View;
  readonly #table: EndpointTable;
  readonly #router = new Router();
  readonly #prober: Prober;
  readonly #vouching = new Vouching(
    (url) => this.#prober.probe$(url, true),
    (url, since) => (this.#table.endpoint(url)?.verifiedAt ?? -Infinity) > since && this.isTrusted(url),
  );
  readonly #events: EventBus;
  readonly #watchOn: Settings['watchOn'];
  /** Tries under way. */
  readonly inFlight = new InFlight();
  /** The deadlines of calls. */
  readonly deadlines = new Limits();
  readonly #activity: Activity;
  /** Watches that stand at a member: each looks whether it should leave; undefined: the client is closed. */
  readonly #standing = new LinkedList<(view: View | undefined) => void>();
  #control!: ClusterStateControl;
  readonly #changes: ChangeReporter;
  readonly #notices: Notices;
  readonly #forgetters: ((url: string) => void)[] = [];
  /** A heartbeat asks all from time to time. */
  readonly #beats: boolean;
  #closed = false;

  /** @param mayWait a request may wait for a connection unseen, so that none in time says little */
  constructor(settings: Settings, probe: Probe, events: EventBus, mayWait = false) {
    this.#events = events;
    this.#changes = new ChangeReporter(events);
    this.#notices = new Notices(events);
    this.#watchOn = settings.watchOn;
    this.#beats = settings.heartbeat !== false;
    this.#table = new EndpointTable(settings.endpoints, settings.discover);
    this.#prober = new Prober(
      probe,
      this.#table,
      (isNews) => {
        this.#publish();
        if (isNews) this.doubt();
      },
      mayWait,
    );
    this.#view = deriveView(this.#table, instant());
    this.#view$ = new BehaviorSubject(this.#view);
    this.closing$ = this.#view$.pipe(ignoreElements(), endWith('closed'));
    this.closed$ = this.closing$.pipe(
      map(() => {
        throw new ClientClosedError();
      }),
    );
    const engine$ = heartbeats$({
      view$: this.#view$,
      period: settings.heartbeat,
      probe: (url, full) => (this.#beats ? this.#prober.probe$(url, full) : this.#upToDate$(url, full)),
      begins: () => {
        // While nobody looked, anybody may have taken the place of a member that was found.
        this.#table.doubtedFound(instant());
        this.#publish();
      },
      isKnown: (url) => {
        const endpoint = this.#table.endpoint(url);
        return endpoint?.probed === true && (endpoint.configured || this.#table.isLive(endpoint));
      },
    });
    this.#activity = new Activity(engine$);
    this.state$ = new ClusterState$(
      new ClusterState(this.#view.members, undefined, undefined, new Date()),
      () => engine$.subscribe(),
      (control) => {
        this.#control = control;
      },
    );
  }

  /** The URLs known: configured ones first, then those found in the cluster. */
  get endpoints(): readonly string[] {
    return this.#view.endpoints;
  }

  /** The client was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What is known now. */
  get view(): View {
    return this.#view;
  }

  /** The release that runs at an endpoint, as `3.4.23`, once a probe has told. */
  version(url: string): string | undefined {
    return this.#table.endpoint(url)?.version;
  }

  /** A member has said at this endpoint who it is, which takes the API of this client. */
  knows(url: string): boolean {
    return this.#table.endpoint(url)?.id !== undefined;
  }

  /** The endpoint has told its release since a request to it last failed. */
  isVersionFresh(url: string): boolean {
    const endpoint = this.#table.endpoint(url);
    return endpoint !== undefined && endpoint.versionAt > endpoint.suspectedAt;
  }

  /** Why this endpoint cannot serve the client, though it answers; undefined when it can, or was not asked. */
  unsupported(url: string): string | undefined {
    return this.#table.endpoint(url)?.unsupported;
  }

  /** Credentials may go to this endpoint: it is configured, or a probe has found a member of the cluster there. */
  isTrusted(url: string): boolean {
    const endpoint = this.#table.endpoint(url);
    return endpoint !== undefined && (endpoint.configured || this.#table.mayBeAsked(endpoint));
  }

  /**
   * Completes once a probe that is sent from now on has found a member of the cluster at this endpoint; then that member
   * is who took the connections that stand now. Errors when it has not.
   */
  vouch$(url: string): Observable<never> {
    return this.#vouching.vouch$(url);
  }

  /** Never emits; errors, with what is made of the reason, once every endpoint has said why it cannot serve the client. */
  unsupported$(toError: (reason: string) => Error): Observable<never> {
    return this.#view$.pipe(
      map((view) => view.unsupported),
      filter((reason) => reason !== undefined),
      take(1),
      map((reason) => {
        throw toError(reason);
      }),
    );
  }

  /** The leader itself answers at this endpoint, and has led ever since it answered in that raft term. */
  leads(url: string, raftTerm: number | undefined): boolean {
    const id = this.#table.endpoint(url)?.id;
    const { members, raftTerm: now } = this.view;
    return (raftTerm ?? now) === now && members.some((member) => member.isLeader && member.id === id);
  }

  /** Where a member can be asked: an endpoint that it has answered at, else one that it advertises. */
  endpointOf(member: Member): string | undefined {
    const endpoints = this.#table.endpoints.filter(
      (e) => e.id === member.id || ((e.id === undefined || member.id === '') && advertises(member, e.url)),
    );
    return (endpoints.find((e) => this.#table.isLive(e)) ?? endpoints[0])?.url;
  }

  /** The last failed probe of each endpoint that does not answer. */
  get probeFailures(): readonly Attempt[] {
    return this.#prober.failures;
  }

  /** Calls this with each endpoint that is none any more: what is kept of it can go. */
  whenGone(forget: (url: string) => void): void {
    this.#forgetters.push(forget);
  }

  /** Told on `events$`, once, of each endpoint that answers and cannot serve the client. Default: nothing. */
  whenUnsupported(event: (url: string, version: string | undefined) => WithoutTime<ClientEvent>): void {
    this.#notices.unsupported = event;
  }

  /** Keeps the heartbeats running until what it returns is called. */
  enter(): () => void {
    return this.#activity.enter();
  }

  /** Keeps the heartbeats running while the source is subscribed. */
  active<T>(): MonoTypeOperatorFunction<T> {
    return (source$) =>
      new Observable((subscriber) => {
        subscriber.add(this.enter());
        return source$.subscribe(subscriber);
      });
  }

  /** The same for a call, which ends with ClientClosedError when the client is closed; its link leaves it alone. */
  attend(call: Ending): Link<Ending> | undefined {
    return this.#activity.call(call);
  }

  /**
   * The gate: emits the leader's endpoint once, at once if a live leader is named, else as soon as one is; where the leader is
   * not told, that of a member with a majority behind it. Errors with
   * a TransportError when no endpoint's TLS works, or none brings anything usable: waiting would not mend that.
   */
  leaderEndpoint$(): Observable<string> {
    return defer(() => {
      const { leaderEndpoint } = this.view;
      if (leaderEndpoint !== undefined) return of(leaderEndpoint);
      return this.#view$.pipe(
        tap((view) => {
          this.#throwIfInVain(view);
        }),
        map((view) => view.leaderEndpoint),
        filter((url) => url !== undefined),
        take(1),
      );
    });
  }

  /** The endpoint for a call that any member can serve; `tried` counts the tries this call has made at each. */
  readEndpoint(tried: Tried): string {
    return this.#router.pick(this.view, tried);
  }

  /**
   * The endpoint for a call that the leader serves, undefined while it has to wait. Where the leader is not told it is that of
   * any member, which asks him.
   */
  servingEndpoint(tried: Tried): string | undefined {
    const { leaderKnown, leaderEndpoint } = this.view;
    return leaderKnown || leaderEndpoint === undefined ? leaderEndpoint : this.readEndpoint(tried);
  }

  /** The leader's endpoint if one is named and not tried yet, else that of any member. */
  leaderOrAny(tried: Tried): string {
    const { leaderEndpoint } = this.view;
    return leaderEndpoint === undefined || tried.has(leaderEndpoint)
      ? this.readEndpoint(tried)
      : leaderEndpoint;
  }

  /** Emits once when every endpoint was probed. */
  settled$(): Observable<View> {
    return this.#view$.pipe(
      filter((view) => view.settled),
      take(1),
    );
  }

  /**
   * Emits once where a watch goes now: to the leader if one is named (unless `watchOn` is `'any'`), else anywhere.
   *
   * @param current where it stands, and stays while any member will do
   */
  watchEndpoint$(tried: Tried = untried, current?: string): Observable<string> {
    return this.#view$.pipe(
      filter((view) => view.settled || view.leaderEndpoint !== undefined),
      take(1),
      map((view) =>
        this.#watchesLeader(view) && view.leaderEndpoint !== undefined
          ? view.leaderEndpoint
          : current !== undefined && view.live.includes(current) && !tried.has(current)
            ? current
            : this.#router.pick(view, tried),
      ),
    );
  }

  /**
   * Never emits; errors, with what is made of the reason, when a watch should leave this endpoint, and completes once the
   * client is closed.
   */
  leave$(url: string, toError: (reason: string) => Error): Observable<never> {
    // Every open watch has one of these: no chain of operators.
    return new Observable((subscriber) => {
      const { era } = this.view;
      const look = (view: View | undefined): void => {
        if (view === undefined) {
          subscriber.complete();
          return;
        }
        const reason = view.era === era ? this.#reasonToLeave(view, url) : 'the cluster was rebuilt';
        if (reason !== undefined) subscriber.error(toError(reason));
      };
      const link = this.#standing.add(look);
      look(this.#closed ? undefined : this.view);
      return () => {
        link.leave();
      };
    });
  }

  /** Asks the endpoint whether it still answers, and learns from it; never emits. */
  check$(url: string): Observable<never> {
    return this.#prober.check$(url);
  }

  /** A request was answered. */
  answered(url: string, sentAt: number): void {
    const endpoint = this.#table.endpoint(url);
    if (endpoint === undefined) return;
    const wasLive = this.#table.isLive(endpoint);
    this.#table.answered(url, sentAt);
    if (!wasLive && this.#table.isLive(endpoint)) this.#publish();
  }

  /** The endpoint gave a sign of life: any answer, or an event of a watch. */
  heard(url: string): void {
    if (this.#table.heard(url, instant())) this.#publish();
  }

  /** An endpoint served a call that any member can serve. */
  served(url: string): void {
    this.#router.good(url);
  }

  /**
   * A request to the endpoint ended without an answer. A broken or refused connection makes its member suspect; after
   * a timeout a probe shall say. What never left, an answer that nobody can use, and what the user's own interceptor
   * threw say nothing.
   */
  blame(url: string, error: TransportError): void {
    const { kind, sent } = error;
    if (kind === 'other' || kind === 'unusable' || kind === 'withheld') return;
    if (kind === 'timeout' && !sent) return;
    const endpoint = this.#table.endpoint(url);
    if (kind === 'timeout') {
      // Whoever takes connections and does not answer may be anybody.
      if (endpoint?.configured === false) this.#table.doubted(url, instant());
      this.doubt();
      return;
    }
    if (endpoint === undefined) return;
    const wasLive = this.#table.isLive(endpoint);
    this.#table.failed(url, instant(), kind === 'connect' || kind === 'tls', endpoint.tls);
    if (wasLive) this.#publish();
  }

  /**
   * A connection broke that waited for what may come. Balancers end such connections every minute: nobody is suspected
   * before a probe says so, but what has to go to that member waits for the probe.
   */
  dropped(url: string, error: TransportError): void {
    if (error.kind !== 'reset') {
      this.blame(url, error);
      return;
    }
    this.#table.doubted(url, instant());
    this.#publish();
  }

  /**
   * An endpoint redirected a request. True if the request may go there: to an endpoint of the client's own, or that of
   * a verified member; it is then taken for the leader's.
   */
  redirected(from: string, to: string): boolean {
    if (from === to || !this.view.candidates.includes(to)) return false;
    this.#table.pointed(from, to);
    this.#table.doubt();
    this.#publish();
    return true;
  }

  /** The endpoint refused a call as a learner does: nothing else is sent there until its own word is another one. */
  refusedAsLearner(url: string): void {
    this.#table.refusedAsLearner(url);
    this.doubt();
  }

  /** Something may have changed that only a probe can tell: who is there, or who leads. */
  doubt(): void {
    this.#table.doubt();
    this.#publish();
  }

  /**
   * An answer of that endpoint carried this raft term. In another one another member may lead: all are asked. One that is
   * lower, and not yet believed, asks for that too: the cluster may have been rebuilt. A heartbeat asks by itself.
   */
  sawTerm(term: number, url: string): void {
    const isNews = this.#table.sawTerm(term, instant(), url);
    if (isNews && (term === this.#table.raftTerm || !this.#beats)) this.doubt();
  }

  /**
   * The cluster was rebuilt under its name: the next term that an answer carries is the present one, though it is lower.
   * Every watch begins another leg, as what stands may have begun before it was known.
   */
  wasRebuilt(): void {
    this.#table.wasRebuilt();
    this.#publish();
  }

  /** Probes every endpoint now, those found by it too, and emits the state. */
  refresh$(): Observable<ClusterState> {
    const probeAll$ = (urls: readonly string[]): Observable<never> =>
      merge(...urls.map((url) => this.#prober.probe$(url, true)));
    return concat(
      defer(() => probeAll$(this.endpoints)),
      defer(() => probeAll$(this.#table.endpoints.filter((e) => !e.probed).map((e) => e.url))),
      defer(() => of(this.state$.value)),
    );
  }

  /** Emits once when every endpoint was probed and one of them answers; errors when waiting is in vain. */
  known$(): Observable<unknown> {
    return this.#view$.pipe(
      tap((view) => {
        this.#throwIfInVain(view);
      }),
      filter((view) => view.settled && view.live.length > 0),
      take(1),
    );
  }

  /** Completes `state$` and ends all that stands on `closed$`. */
  close(): void {
    this.#closed = true;
    this.#activity.close();
    this.deadlines.close();
    this.#control.complete();
    this.#view$.complete();
    for (const look of this.#standing.toArray()) look(undefined);
  }

  /**
   * Probes an endpoint, and once more if something has happened meanwhile that its answer cannot have known: without a
   * heartbeat's interval nothing else would ask again.
   */
  #upToDate$(url: string, full: boolean): Observable<never> {
    return defer(() => {
      const { doubts } = this.#table;
      const since = instant();
      return concat(
        this.#prober.probe$(url, full),
        defer(() =>
          this.#table.doubts !== doubts || this.#table.isOvertaken(url, since)
            ? this.#upToDate$(url, true)
            : EMPTY,
        ),
      );
    });
  }

  #watchesLeader({ leaderKnown }: View): boolean {
    return this.#watchOn === 'leader' && leaderKnown;
  }

  #throwIfInVain({ tlsFailure, settled, endpoints }: View): void {
    if (tlsFailure !== undefined) throw new TransportError('tls', tlsFailure, false);
    if (!settled) return;
    const failures = endpoints.map((url) => this.#prober.unusable(url));
    const [first] = failures;
    if (first !== undefined && !failures.includes(undefined)) throw first;
  }

  #reasonToLeave(view: View, url: string): string | undefined {
    if (!view.settled) return undefined;
    // One broken connection says little of the others: a probe shall tell. With nowhere else to go it stays: its
    // connection may yet come to life.
    const endpoint = this.#table.endpoint(url);
    if (endpoint === undefined || endpoint.down || !this.#table.belongs(endpoint))
      return view.live.length > 0 ? 'its member does not answer' : undefined;
    const { leaderEndpoint } = view;
    if (this.#watchesLeader(view) && leaderEndpoint !== undefined && leaderEndpoint !== url)
      return 'another member leads';
    const better = view.live.length > view.leaderless.length;
    return better && view.leaderless.includes(url) ? 'its member knows no leader' : undefined;
  }

  #publish(): void {
    const before = this.#view;
    this.#table.names(leaderVote(this.#table).named, instant());
    this.#notices.report(this.#table);
    const view = deriveView(this.#table, instant());
    if (this.#closed || sameView(before, view)) return;
    // What is asked for is new before anyone is told; then the public state, so that the gate's waiters find it new.
    this.#view = view;
    if (!sameList(before.endpoints, view.endpoints)) this.#forget(before.endpoints, view.endpoints);
    const state = new ClusterState(view.members, view.hasQuorum, view.raftTerm, new Date(), view.leaderKnown);
    const previous = this.state$.value;
    if (!state.equals(previous)) {
      this.#changes.report(previous, state);
      this.#control.next(state);
    }
    if (view.partial !== undefined && before.partial !== view.partial) {
      const reachable = view.partial;
      this.#events.emit(() => ({ type: 'partial-view', reachable, members: view.members.length }));
    }
    // The newest: whoever was told may have changed it meanwhile.
    this.#view$.next(this.#view);
    for (const look of this.#standing.toArray()) look(this.#view);
    this.inFlight.suspect((url) => this.#table.endpoint(url)?.suspectedAt ?? -Infinity);
  }

  /** What is kept of endpoints that are none any more goes with them. */
  #forget(before: readonly string[], after: readonly string[]): void {
    const known = new Set(after);
    for (const url of before) {
      if (known.has(url)) continue;
      this.#prober.forget(url);
      this.#vouching.forget(url);
      for (const forget of this.#forgetters) forget(url);
    }
  }
}
