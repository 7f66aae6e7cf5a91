import { EtcdClient, isKeyNotFound } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';

/** A member of etcd 2.x that replays its log knows of no key yet, and says that its index is 0. */
const replaying: ScriptedAction = {
  status: 404,
  headers: { 'X-Etcd-Index': '0' },
  body: { errorCode: 100, message: 'Key not found', cause: '/k', index: 0 },
};
const ready: ScriptedAction = {
  status: 200,
  headers: { 'X-Etcd-Index': '9' },
  body: { action: 'get', node: { key: '/k', value: 'v', createdIndex: 9, modifiedIndex: 9 } },
};

/** A client of a member that answers the reads of a key as told, the last answer for ever. */
async function withAnswers<T>(
  answers: ScriptedAction[],
  use: (client: EtcdClient) => Promise<T>,
): Promise<T> {
  let reads = 0;
  const server = await firstValueFrom(
    startScriptedServer(({ path }) =>
      path === '/v2/keys/k'
        ? (answers[Math.min(reads++, answers.length - 1)] ?? replaying)
        : { status: 404, body: { message: 'Not found' } },
    ),
  );
  const client = new EtcdClient(server.url, { discover: false, deadline: 10_000 });
  try {
    return await use(client);
  } finally {
    client.close();
    await firstValueFrom(server.close$());
  }
}

test('a key that a member has yet to replay is asked for again, not told as missing', async () => {
  const values = await withAnswers([ready, replaying, ready], async (client) => [
    await firstValueFrom(client.getValue$('/k')),
    await firstValueFrom(client.getValue$('/k')),
  ]);
  expect(values).toEqual(['v', 'v']);
});

test('who has seen nothing yet is told what the member says', async () => {
  const error = await withAnswers([replaying], (client) => rejectionOf(client.get$('/k')));
  expect(isKeyNotFound(error)).toBe(true);
});
