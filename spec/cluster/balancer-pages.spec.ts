import { EtcdClient, isAllNodesDown } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { rejectionOf } from '../support/jest/rejection.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { startScriptedServer } from '../support/scripted/scripted-server.js';

/* A balancer in front of members that it does not reach answers everything with the same page. Side by side: each waits long. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));

const html = { 'content-type': 'text/html' };
const page = (status: number): ScriptedAction => ({
  status,
  headers: html,
  body: `<html><body><h1>${String(status)}</h1>No server is available to handle this request.</body></html>`,
});

async function behind(action: ScriptedAction) {
  const server = await firstValueFrom(startScriptedServer(() => action));
  undos.push(() => lastValueFrom(server.close$()));
  const client = new EtcdClient(server.url, { heartbeat: 300, deadline: 2_000 });
  undos.push(() => client.close());
  return { server, client };
}

test.concurrent.each<[string, number, ScriptedAction]>([
  ['an HTML 503', 503, page(503)],
  ['an HTML 502', 502, page(502)],
  ['an HTML 504', 504, page(504)],
  ['a JSON 503 of a gateway', 503, { status: 503, body: { message: 'no healthy upstream' } }],
  [
    'a plain 503',
    503,
    { status: 503, headers: { 'content-type': 'text/plain' }, body: 'Service Unavailable' },
  ],
])(
  'a balancer that answers %s to everything is no cluster without quorum, and the tries show what came',
  async (_, status, action) => {
    const { client } = await behind(action);
    const calls = [client.set$('/a', 'v'), client.get$('/a', { quorum: true })];
    for (const error of await Promise.all(calls.map((call$) => rejectionOf(call$)))) {
      expect(error).toMatchObject({ code: 'ALL_NODES_DOWN', reason: 'unreachable' });
      expect(isAllNodesDown(error) && error.attempts.map((attempt) => attempt.status)).toContain(status);
    }
    expect(client.clusterState$.value.members).toMatchObject([{ status: 'down' }]);
  },
);

test.concurrent('a balancer is asked more and more slowly', async () => {
  const { client, server } = await behind(page(503));
  client.clusterState$.subscribe();
  const begun = performance.now();
  const asked: number[] = [];
  await eventually(
    () => {
      asked.push(server.requests.filter(({ path }) => path === '/v2/members/leader').length);
      return performance.now() - begun > 5_000;
    },
    { every: 50 },
  );
  // As often as one that refuses: for a second one in 30 ms, then less and less.
  expect(asked.at(-1)).toBeLessThan(85);
  expect(asked.at(-1)).toBeGreaterThan(5);
});

test.concurrent("a member's own word that there is no leader is believed", async () => {
  const own = { status: 503, body: { message: 'During election' } };
  const { client } = await behind(own);
  expect(await rejectionOf(client.set$('/a', 'v'))).toMatchObject({ reason: 'no-quorum' });
});
