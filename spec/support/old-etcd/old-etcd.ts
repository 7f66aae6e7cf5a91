import { Observable, concat, defer, forkJoin, map, timer, toArray } from 'rxjs';
import { OldError, errorAnswer } from './old-etcd-error.js';
import { traitsOf, versionBody, type OldRelease, type OldTraits } from './old-etcd-release.js';
import { OldStore, type StoreAnswer } from './old-etcd-store.js';
import type { ScriptedAction } from '../scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../scripted/scripted-server.js';

const text = { 'Content-Type': 'text/plain; charset=utf-8' };
const json = { 'Content-Type': 'application/json' };
const notFound: ScriptedAction = { status: 404, headers: text, body: '404 page not found\n' };
const clusterId = 'cdf818194e3a8c32';

/** An answer with status, headers and body, and nothing odd about it. */
type Answer = Extract<ScriptedAction, { status: number }>;

/** One member of an old cluster. */
export class OldMember {
  server!: ScriptedServer;
  /** Its port for the other members, where no client has any business. */
  peer!: ScriptedServer;
  /** Where it sends what is for the leader, if not to the leader. */
  pointsTo: string | undefined;

  /** What it advertises, dead or alive. */
  url = '';
  peerUrl = '';

  constructor(
    readonly name: string,
    readonly id: string,
  ) {}

  /** Its requests on keys, as `PUT /v2/keys/a?x=1 value=2`, without those of probes and of the member list. */
  get keyRequests(): string[] {
    return this.server.requests
      .filter(({ path }) => path.startsWith('/v2/keys') && path !== '/v2/keys/_etcd/machines')
      .map(({ method, path, query, body }) => {
        const search = query.size === 0 ? '' : `?${query.toString()}`;
        return `${method} ${path}${search} ${body}`.trimEnd();
      });
  }
}

/** One member or more of an etcd that can no longer be installed; they share one store and have one leader, or none. */
export class OldEtcd {
  readonly traits: OldTraits;
  readonly store: OldStore;
  readonly members: readonly OldMember[];
  /** undefined: during an election. */
  leader: OldMember | undefined;
  /** Without a majority the leader goes on and answers no write; it makes up for them all when the others are back. */
  #quorum = true;
  #late: (() => void)[] = [];

  /** @internal Use `startOldEtcd`. */
  constructor(
    readonly release: OldRelease,
    size: number,
  ) {
    this.traits = traitsOf(release);
    this.store = new OldStore(this.traits);
    this.members = Array.from({ length: size }, (_, i) => new OldMember(`node${i}`, `a${i}b${i}`));
    this.leader = this.members[0];
  }

  get first(): OldMember {
    return this.members[0]!;
  }

  get urls(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** Every request on keys, of all members. */
  get keyRequests(): string[] {
    return this.members.flatMap((member) => member.keyRequests);
  }

  set quorum(quorum: boolean) {
    this.#quorum = quorum;
    if (quorum) this.#late.splice(0).forEach((apply) => apply());
  }

  /** A foreign write. */
  set(key: string, value: string): void {
    this.store.put(key, new URLSearchParams({ value }));
  }

  remove(key: string): void {
    this.store.delete(key, new URLSearchParams({ recursive: 'true' }));
  }

  /** Ends a member: its connections break, its port refuses. Who leads is not changed by that. */
  kill$(member: OldMember): Observable<unknown> {
    return member.server.close$();
  }

  close$(): Observable<unknown> {
    this.store.close();
    return forkJoin(this.members.flatMap(({ server, peer }) => [server.close$(), peer.close$()]));
  }

  /** @internal */
  listen$(): Observable<unknown> {
    return concat(
      ...this.members.map((member) =>
        forkJoin([
          startScriptedServer((request) => this.#serve(member, request)),
          startScriptedServer(() => notFound),
        ]).pipe(
          map(([server, peer]) =>
            Object.assign(member, { server, peer, url: server.url, peerUrl: peer.url }),
          ),
        ),
      ),
    ).pipe(
      toArray(),
      map(() => {
        if (!this.traits.legacy) return;
        for (const { name, url, peerUrl } of this.members)
          this.store.plant(`/_etcd/machines/${name}`, this.#form(url, peerUrl));
      }),
    );
  }

  /** Not escaped on 0.2.0-rc1. */
  #form(etcd: string, raft: string): string {
    return this.traits.flat ? `raft=${raft}&etcd=${etcd}` : new URLSearchParams({ etcd, raft }).toString();
  }

  #serve(member: OldMember, request: ScriptedRequest): ScriptedAction | Observable<ScriptedAction> {
    const { path } = request;
    if (this.store.destroyed) return { reset: true };
    if (path.startsWith('/v2/keys/') || (path === '/v2/keys' && !this.traits.legacy))
      return this.#keys(member, request);
    if (path === '/version') {
      const body = versionBody(this.release);
      return { status: 200, headers: body.startsWith('{') ? json : text, body };
    }
    if (path === '/v2/machines') return { status: 200, headers: text, body: this.#machines().join(', ') };
    if (path === '/v2/stats/self') return { status: 200, body: this.#self(member) };
    if (path === '/v2/stats/store') return { status: 200, body: this.#storeStats() };
    if (path === '/v2/stats/leader') return this.#leaderStats(member, request);
    return this.traits.legacy ? this.#legacy(path) : this.#modern(request);
  }

  /** What only the releases before 2.0 have. */
  #legacy(path: string): ScriptedAction {
    if (path === '/v2/peers' && !this.traits.flat)
      return { status: 200, headers: text, body: this.#machines().join(', ') };
    if (path !== '/v2/leader') return notFound;
    if (this.leader === undefined) return this.#error(new OldError(301));
    // With /_etcd deleted: measured, an empty answer.
    const known = this.store.valueOf(`/_etcd/machines/${this.leader.name}`) !== undefined;
    return { status: 200, headers: text, body: known ? this.leader.peerUrl : '' };
  }

  /** What only the releases since 2.0 have. */
  #modern({ path, method }: ScriptedRequest): ScriptedAction {
    const headers = { ...json, 'X-Etcd-Cluster-Id': clusterId };
    const info = ({ id, name, peerUrl, url }: OldMember) => ({
      id,
      name,
      peerURLs: [peerUrl],
      clientURLs: [url],
    });
    if (path === '/health') {
      const well = this.leader !== undefined;
      return { status: well ? 200 : 503, headers: text, body: `{"health": "${String(well)}"}` };
    }
    if (path === '/v2/members' && method === 'GET')
      return { status: 200, headers, body: { members: this.members.map(info) } };
    if (path !== '/v2/members/leader') return notFound;
    if (!this.traits.membersLeader) return { status: 404, headers, body: { message: 'Not found' } };
    return this.leader === undefined
      ? { status: 503, headers, body: { message: 'During election' } }
      : { status: 200, headers, body: info(this.leader) };
  }

  /** The leader first, then the rest, dead ones too. */
  #machines(): string[] {
    if (!this.traits.legacy) return this.urls;
    const known = this.members.filter(
      ({ name }) => this.store.valueOf(`/_etcd/machines/${name}`) !== undefined,
    );
    return known.sort((a, b) => Number(b === this.leader) - Number(a === this.leader)).map(({ url }) => url);
  }

  #self({ name, id }: OldMember): object {
    const { leader, traits } = this;
    const leads = leader?.name === name;
    const since = '2014-01-01T00:00:00Z';
    if (!traits.legacy)
      return {
        name,
        id,
        state: leads ? 'StateLeader' : 'StateFollower',
        startTime: since,
        leaderInfo: { leader: leader?.id ?? '', uptime: '1s', startTime: since },
      };
    // A member that never joined another does not know its name.
    const joined = this.members.length > 1;
    return {
      name: joined ? name : '',
      state: joined ? (leads ? 'leader' : 'follower') : '',
      startTime: since,
      leaderInfo: { leader: leads || !joined ? '' : (leader?.name ?? ''), uptime: '1s', startTime: since },
      recvAppendRequestCnt: 0,
      sendAppendRequestCnt: 0,
    };
  }

  #storeStats(): object {
    return { getsSuccess: 1, getsFail: 0, setsSuccess: 1, setsFail: 0, watchers: this.store.watchers };
  }

  #leaderStats(member: OldMember, request: ScriptedRequest): ScriptedAction {
    const { traits, leader } = this;
    if (member === leader) {
      const followers = this.members.filter((m) => m !== leader);
      const stats = { latency: { current: 1, average: 1 }, counts: { fail: 0, success: 1 } };
      const entries = followers.map(({ name, id }) => [traits.legacy ? name : id, stats] as const);
      const own = traits.legacy ? leader.name : leader.id;
      return { status: 200, body: { leader: own, followers: Object.fromEntries(entries) } };
    }
    if (!traits.legacy) return { status: 403, body: { message: 'not current leader' } };
    if (traits.earlyHeaders) return { status: 403, headers: text, body: 'not current leader\n' };
    return leader === undefined ? this.#error(new OldError(300)) : this.#redirect(member, request);
  }

  #keys(member: OldMember, request: ScriptedRequest): ScriptedAction | Observable<ScriptedAction> {
    const { method, path, query } = request;
    const { traits, leader } = this;
    const key = `/${path
      .split('/')
      .slice(3)
      .filter(Boolean)
      .map((part) => decodeURIComponent(part))
      .join('/')}`;
    if (method === 'HEAD') return this.#head(key);
    const read = method === 'GET';
    if (!read && !['PUT', 'POST', 'DELETE'].includes(method)) {
      return traits.legacy
        ? notFound
        : { status: 405, headers: { ...text, Allow: 'HEAD,GET,PUT,POST,DELETE' } };
    }
    const elsewhere = traits.legacy && (member !== leader || member.pointsTo !== undefined);
    if (read) {
      const fresh = query.get('consistent') === 'true' || (traits.quorum && query.get('quorum') === 'true');
      if (elsewhere && fresh && !(leader === undefined && query.get('quorum') === 'true'))
        return this.#redirect(member, request);
      if (elsewhere && fresh) return this.#error(new OldError(300));
      // Measured since 0.4: with a quorum there is no waiting.
      const waits = query.get('wait') === 'true' && !(traits.quorum && query.get('quorum') === 'true');
      return waits ? this.#watch(key, query) : this.#answer(method, () => this.store.get(key, query));
    }
    if (elsewhere && member.pointsTo !== undefined) return this.#redirect(member, request);
    if (leader === undefined) return traits.legacy ? this.#error(new OldError(300)) : { silence: true };
    if (elsewhere) return this.#redirect(member, request);
    const params = paramsOf(request);
    const apply = (): StoreAnswer => {
      if (method === 'PUT') return this.store.put(key, params);
      return method === 'POST' ? this.store.post(key, params) : this.store.delete(key, params);
    };
    return this.#quorum ? this.#answer(method, apply) : this.#noQuorum(apply);
  }

  /** Measured: 0.2 gives up after a second (here sooner), 0.4 never; either way the write is done once the others are back. */
  #noQuorum(apply: () => StoreAnswer): ScriptedAction | Observable<ScriptedAction> {
    this.#late.push(apply);
    if (this.traits.earlyHeaders) return { silence: true };
    return timer(20).pipe(map(() => ({ status: 500, headers: text, body: 'raft: Command timeout\n' })));
  }

  /** To the leader, or while there is none to itself. A read of 0.2.0-rc1 is sent astray: measured, to the leader's peer port. */
  #redirect(member: OldMember, { method, path, query }: ScriptedRequest): ScriptedAction {
    const search = query.size === 0 ? '' : `?${query.toString()}`;
    const astray = this.traits.flat && method === 'GET' && path.startsWith('/v2/keys');
    const { leader } = this;
    const base = member.pointsTo ?? (astray ? leader?.peerUrl : leader?.url) ?? '';
    const location = `${base}${path}${astray ? '' : search}`;
    const body = method === 'GET' ? `<a href="${location}">Temporary Redirect</a>.\n\n` : '';
    const type = method === 'GET' ? { 'Content-Type': 'text/html; charset=utf-8' } : text;
    return { status: 307, headers: { ...type, Location: location }, body };
  }

  /** Not before 0.4, and there without the indexes. */
  #head(key: string): ScriptedAction {
    const { earlyHeaders, legacy } = this.traits;
    if (!earlyHeaders) return notFound;
    const { status, headers = {} } = this.#answer('GET', () => this.store.get(key, new URLSearchParams()));
    return { status, headers: legacy ? json : headers };
  }

  #answer(method: string, apply: () => StoreAnswer): Answer {
    try {
      const { created, body } = apply();
      return { status: created ? 201 : 200, headers: this.#headers(method), body };
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Before 0.3 nothing at all comes before the event, whose index the header then has. */
  #watch(key: string, query: URLSearchParams): ScriptedAction | Observable<ScriptedAction> {
    const waitIndex = Number(query.get('waitIndex') ?? 0);
    try {
      const stream = this.traits.streams && query.get('stream') === 'true';
      const event$ = this.store.watch(key, query.get('recursive') === 'true', waitIndex, stream);
      return this.traits.earlyHeaders
        ? {
            status: 200,
            headers: this.#headers('GET'),
            body: event$.pipe(map((body) => `${JSON.stringify(body)}\n`)),
          }
        : event$.pipe(map((body) => ({ status: 200, headers: this.#headers('GET'), body })));
    } catch (error) {
      return this.#refusal(error);
    }
  }

  #refusal(error: unknown): Answer {
    if (error instanceof OldError) return this.#error(error);
    throw error;
  }

  #error(error: OldError): Answer {
    const { flat, earlyHeaders, legacy } = this.traits;
    // Since 2.0 an error of the request itself has no index.
    const index = !legacy && error.code >= 201 && error.code < 300 ? 0 : this.store.index;
    const { status, body } = errorAnswer(error, index, flat);
    const headers = { ...(earlyHeaders ? json : text), 'X-Etcd-Index': String(index) };
    return { status, headers: legacy ? headers : { ...headers, 'X-Etcd-Cluster-Id': clusterId }, body };
  }

  #headers(method: string): Record<string, string> {
    const { flat, legacy } = this.traits;
    // Measured on 0.2.0-rc1: a pointer to a function in place of the number, on writes.
    const index = flat && method !== 'GET' ? '0x71bc80' : String(this.store.index);
    return {
      'Content-Type': flat ? 'text/plain; charset=utf-8' : 'application/json',
      'X-Etcd-Index': index,
      'X-Raft-Index': String(this.store.index + 10),
      'X-Raft-Term': legacy ? '0' : '2',
      ...(legacy ? {} : { 'X-Etcd-Cluster-Id': clusterId }),
    };
  }
}

/** The body beats the query; that of a DELETE, or one that is no form, is not read. */
function paramsOf({ method, query, body, headers }: ScriptedRequest): URLSearchParams {
  const isForm = headers['content-type'] === 'application/x-www-form-urlencoded';
  const form = method !== 'DELETE' && isForm ? new URLSearchParams(body) : [];
  return new URLSearchParams({ ...Object.fromEntries(query), ...Object.fromEntries(form) });
}

/** Starts an old etcd: the first member leads. */
export function startOldEtcd(release: OldRelease, size = 1): Observable<OldEtcd> {
  return defer(() => {
    const etcd = new OldEtcd(release, size);
    return etcd.listen$().pipe(map(() => etcd));
  });
}
