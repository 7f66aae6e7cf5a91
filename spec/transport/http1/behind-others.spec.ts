import { Agent } from 'node:http';
import axios from 'axios';
import { EtcdClient, type ClientOptions } from 'rxetcd';
import { firstValueFrom, lastValueFrom, ReplaySubject, timer } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { eventually } from '../../support/jest/eventually.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';
import { setAll, slowEtcd } from './slow-etcd.js';

/* Writes that wait, longer than their timeout, for connections which others use; side by side, each with its own server. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));

const byKind = (ends: string[]) => ({
  values: ends.filter((end) => end === 'N').length,
  failures: [...new Set(ends.filter((end) => end !== 'N' && end !== 'C'))],
});

test.concurrent.each<[string, number, () => ClientOptions]>([
  ['undici', 128, () => ({})],
  ["the user's axios over http", 128, () => ({ axios: axios.create({ adapter: 'http' }) })],
  [
    "agents of the user's own",
    150,
    () => ({ axios: axios.create({ httpAgent: new Agent({ keepAlive: true, maxSockets: 150 }) }) }),
  ],
])('writes behind others that take long each have their whole timeout: %s', async (_, slots, options) => {
  const release$ = new ReplaySubject<ScriptedAction>(1);
  const { handler, executed } = slowEtcd(() => release$);
  const server = await firstValueFrom(startScriptedServer(handler));
  undos.push(() => firstValueFrom(server.close$()));
  const client = new EtcdClient({
    endpoints: server.url,
    ...options(),
    deadline: 120_000,
    heartbeat: false,
    probeTimeout: 50_000,
  });
  undos.push(() => client.close());
  await lastValueFrom(client.refreshCluster$());
  const busy = setAll(client, slots, 100_000);
  const puts = () => server.requests.filter(({ method }) => method === 'PUT').length;
  await eventually(() => puts() >= slots - 10);
  const told: string[] = [];
  client.events$.subscribe(({ type }) => told.push(type));
  const behind = setAll(client, 200, 5_000);
  // Longer than their timeout.
  await lastValueFrom(timer(6_000));
  release$.next({ status: 200 });
  expect(byKind(await busy)).toEqual({ values: slots, failures: [] });
  expect(byKind(await behind)).toEqual({ values: 200, failures: [] });
  expect(puts()).toBe(slots + 200);
  expect(executed.size).toBe(200);
  expect(told.filter((type) => type === 'retry' || type === 'failover')).toEqual([]);
});
