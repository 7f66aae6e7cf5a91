import axios from 'axios';
import { EtcdClient, type ClientOptions } from 'rxetcd';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { catchError, EMPTY, filter, firstValueFrom, lastValueFrom, take, type Observable } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startTcpProxy } from '../support/proxies/tcp-proxy.js';

/**
 * What each operation sends, to the byte, kept in git beside this file: a change of the code's structure must change none of
 * it. `npx jest spec/fence -u` writes it anew.
 */
const operations: Record<string, (client: EtcdClient) => Observable<unknown>> = {
  set: (c) => c.set$('/a/b c', 'v ü&=+%', { ttl: 60 }),
  'set without value': (c) => c.set$('/a/n', '', { noValueOnSuccess: true }),
  get: (c) => c.get$('/a'),
  'get with all': (c) => c.get$('/a', { recursive: true, sorted: true, quorum: true }),
  getValue: (c) => c.getValue$('/a/b c'),
  exists: (c) => c.exists$('/none'),
  create: (c) => c.create$('/a/c', '1', { ttl: 50 }),
  update: (c) => c.update$('/a/c', '2'),
  refresh: (c) => c.refresh$('/a/c', 70),
  createInOrder: (c) => c.createInOrder$('/queue', 'job', { ttl: 9 }),
  'compareAndSwap by value': (c) => c.compareAndSwap$('/a/c', '3', { prevValue: '2', ttl: 5 }),
  'compareAndSwap by index': (c) => c.compareAndSwap$('/a/c', '3', { prevIndex: 3 }),
  compareAndDelete: (c) => c.compareAndDelete$('/a/c', { prevValue: '3', prevIndex: 9 }),
  delete: (c) => c.delete$('/a/c'),
  'delete recursive': (c) => c.delete$('/a', { recursive: true }),
  setDir: (c) => c.setDir$('/dir', { ttl: 100 }),
  createDir: (c) => c.createDir$('/dir2'),
  updateDir: (c) => c.updateDir$('/dir', { ttl: 90 }),
  createDirInOrder: (c) => c.createDirInOrder$('/dir2'),
  deleteDir: (c) => c.deleteDir$('/dir'),
  'deleteDir recursive': (c) => c.deleteDir$('/dir2', { recursive: true }),
  'watch from an index': (c) => c.watch$('/queue', { fromIndex: 2 }).pipe(take(1)),
  'watch of one key': (c) => c.watch$('/a/b c', { fromIndex: 2, recursive: false }).pipe(take(1)),
  'watch with its state': (c) => c.watch$('/queue', { initial: true }).pipe(take(1)),
  watchOnce: (c) => c.watchOnce$('/queue', { fromIndex: 2 }),
  machines: (c) => c.machines$(),
  version: (c) => c.version$(),
  versions: (c) => c.versions$(),
  health: (c) => c.health$(),
  refreshCluster: (c) => c.refreshCluster$(),
  'members.list': (c) => c.members.list$(),
  'members.leader': (c) => c.members.leader$(),
  'members.update': (c) => c.members.update$('1', ['http://127.0.0.1:1']),
  'members.remove': (c) => c.members.remove$('1'),
  'stats.leader': (c) => c.stats.leader$(),
  'stats.self of each': (c) => c.stats.self$({ each: true }),
  'stats.store': (c) => c.stats.store$(),
  'auth.status': (c) => c.auth.status$(),
  'auth.createUser root': (c) => c.auth.createUser$('root', 'secret', { roles: ['root'] }),
  'auth.createUser': (c) => c.auth.createUser$('app', 'word'),
  'auth.updateUser': (c) => c.auth.updateUser$('app', { password: 'other' }),
  'auth.updateUser roles': (c) => c.auth.updateUser$('app', { grant: ['reader'], revoke: ['guest'] }),
  'auth.user': (c) => c.auth.user$('app'),
  'auth.users': (c) => c.auth.users$(),
  'auth.createRole': (c) => c.auth.createRole$('reader', { read: ['/a/*'], write: ['/a/b'] }),
  'auth.updateRole': (c) =>
    c.auth.updateRole$('reader', { grant: { read: ['/b'] }, revoke: { write: ['/a/b'] } }),
  'auth.role': (c) => c.auth.role$('reader'),
  'auth.roles': (c) => c.auth.roles$(),
  'auth.enable': (c) => c.auth.enable$(),
  'auth.disable': (c) => c.auth.disable$(),
  'auth.deleteRole': (c) => c.auth.deleteRole$('reader'),
  'auth.deleteUser': (c) => c.auth.deleteUser$('app'),
  'raw with a form': (c) =>
    c.raw$('PUT', '/v2/keys/raw', { data: { value: 'a b' }, headers: { 'X-Own': '1' } }),
  'raw with a query': (c) => c.raw$('GET', '/v2/keys/raw', { params: { quorum: true } }),
  'raw with JSON': (c) => c.raw$('POST', '/v2/members', { data: { peerURLs: [] } }),
  // The last: of two members, one of which never starts, nothing has a quorum.
  'members.add': (c) => c.members.add$(['http://127.0.0.1:1']),
};

const transports: Record<string, () => ClientOptions> = {
  'the lean transport': () => ({}),
  "an axios instance of the user's own": () => ({ axios: axios.create() }),
};

/** Reads once: the first answer tells the raft term, after which the member is asked once more who leads. */
async function settled(client: EtcdClient): Promise<void> {
  let underWay = 0;
  const counting = client.events$.subscribe(({ type }) => {
    if (type === 'request') underWay += 1;
    else if (type === 'response') underWay -= 1;
  });
  await firstValueFrom(client.raw$('GET', '/v2/keys/'));
  await eventually(() => expect(underWay).toBe(0));
  counting.unsubscribe();
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  await cleanUp(cleanUps);
});

test.each(Object.entries(transports))('the requests over %s', async (_, transport) => {
  const server = await firstValueFrom(EmbeddedEtcd.start$());
  cleanUps.push(() => firstValueFrom(server.stop$()));
  let heard = '';
  const tap = await firstValueFrom(
    startTcpProxy(server.url, {
      heard: (piece) => {
        heard += piece.toString('latin1');
      },
    }),
  );
  cleanUps.push(() => firstValueFrom(tap.close$()));
  const options = {
    auth: { username: 'root', password: 'secret' },
    discover: false,
    heartbeat: false as const,
  };

  const sent: Record<string, string> = {};
  for (const [name, operation] of Object.entries(operations)) {
    // One member and no heartbeat: once its leader and its term are known, nothing is sent but what is asked for.
    const client = new EtcdClient(tap.url, { ...options, ...transport() });
    cleanUps.push(() => client.close());
    await firstValueFrom(client.leader$().pipe(filter((leader) => leader !== undefined)));
    await settled(client);
    heard = '';
    // What is refused was sent all the same.
    await lastValueFrom(operation(client).pipe(catchError(() => EMPTY)), { defaultValue: undefined });
    client.close();
    sent[name] = heard.replaceAll(new URL(tap.url).host, 'HOST').replaceAll('\r\n', '\n');
  }
  expect(sent).toMatchSnapshot();
});
