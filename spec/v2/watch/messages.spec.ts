import { EtcdClient, type WatchOptions } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { startHeaderStripper } from '../../support/proxies/header-stripper.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted/scripted-server.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';

/* A watch asks for more than events: for the index of the store, and for states. Its errors name the watch alone. */
const undos: (() => unknown)[] = [];
afterEach(() => cleanUp(undos));

const pathless: ScriptedAction = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: '404 page not found\n',
};
const denied: ScriptedAction = { status: 401, body: { message: 'Insufficient credentials' } };
const refused: ScriptedAction = {
  status: 400,
  headers: { 'x-etcd-index': '5' },
  body: { errorCode: 209, message: 'Invalid field', cause: 'x', index: 5 },
};

async function member(keys: ScriptedAction, onlyPolls: boolean): Promise<ScriptedServer> {
  const headers = { 'x-etcd-cluster-id': 'c1', 'x-etcd-index': '5' };
  const server: ScriptedServer = await firstValueFrom(
    startScriptedServer(({ path, query }) => {
      const waits = query.get('wait') === 'true';
      if (path.startsWith('/v2/keys') && waits && !onlyPolls)
        return { headersThenSilence: { status: 200, headers } };
      if (path.startsWith('/v2/keys')) return keys;
      if (path === '/version') return { status: 200, body: { etcdserver: '3.4.23', etcdcluster: '3.4.0' } };
      if (keys === pathless) return pathless;
      const own = { id: '1', name: 'n', clientURLs: [server.url], peerURLs: [] };
      return { status: 200, headers, body: path === '/v2/members' ? { members: [own] } : own };
    }),
  );
  undos.push(() => lastValueFrom(server.close$()));
  return server;
}

const refusals = {
  'an etcd without the API': [pathless, 'UNSUPPORTED_BY_SERVER'],
  'a refusal of the credentials': [denied, 'AUTHENTICATION'],
  'a refusal of the request': [refused, 'API_ERROR'],
} as const;
type Refusal = keyof typeof refusals;
const all = Object.keys(refusals) as Refusal[];
const [none, denial] = all as [Refusal, Refusal];

interface Asked {
  onlyPolls: boolean;
  hidden: boolean;
  options: WatchOptions;
}
const polls = (hidden: boolean): [Asked, Refusal[]][] =>
  [{}, { initial: true }, { fromIndex: 3 }].map((options) => [{ onlyPolls: true, hidden, options }, all]);

test.each(
  [
    ...polls(false),
    ...polls(true),
    // The state; or first the index, where no header tells it. A key that is not there is an answer to that.
    [{ onlyPolls: false, hidden: false, options: { initial: true } }, all.slice(1)],
    [{ onlyPolls: false, hidden: true, options: {} }, [none, denial]],
    [{ onlyPolls: false, hidden: true, options: { initial: true } }, all],
  ].flatMap(([asked, which]) => (which as Refusal[]).map((refusal) => [refusal, asked as Asked] as const)),
)(
  '%s ends it with an error that begins with the watch: %j',
  async (refusal, { onlyPolls, hidden, options }) => {
    const [action, code] = refusals[refusal];
    const server = await member(action, onlyPolls);
    let { url } = server;
    if (hidden) {
      const stripper = await firstValueFrom(startHeaderStripper(server.url));
      undos.push(() => lastValueFrom(stripper.close$()));
      ({ url } = stripper);
    }
    const client = new EtcdClient(url, { discover: false });
    undos.push(() => client.close());
    const error = await rejectionOf(client.watch$('/k', options));
    expect(error).toMatchObject({ code, message: expect.stringMatching(/^watch \/k: /) as string });
    expect((error as Error).message.slice('watch /k: '.length)).not.toMatch(
      /\b(index|state|poll|fill|get): /,
    );
  },
);
