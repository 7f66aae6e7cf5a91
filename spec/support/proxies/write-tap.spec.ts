import { firstValueFrom } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { startScriptedServer } from '../scripted/scripted-server.js';
import { acceptAgain, SentWrites, startWriteTap } from './write-tap.js';

test('writes are noted with their member and value, reads are not', async () => {
  const server = await firstValueFrom(startScriptedServer(() => ({ status: 200, body: {} })));
  const target = server.url;
  const sent = new SentWrites();
  const tap = await firstValueFrom(startWriteTap(target, sent));
  const send = (method: string, path: string, body?: string) =>
    fetch(`${tap.url}/v2/keys${path}`, { method, ...(body !== undefined && { body }) });
  try {
    await send('GET', '/value=no');
    await send('PUT', '/a', 'value=v1&prevExist=false');
    await send('POST', '/b', 'ttl=5&value=v2');
    await send('PUT', '/dir', 'dir=true');
    await send('DELETE', '/a?prevValue=v1');
    tap.refuse();
    tap.reset();
    await expect(send('PUT', '/a', 'value=v3')).rejects.toThrow();
    await acceptAgain(tap);
    // The first may find its kept connection gone.
    await eventually(() => send('PUT', '/a', 'value=v1'));
  } finally {
    await firstValueFrom(tap.close$());
    await firstValueFrom(server.close$());
  }
  expect(sent.all).toEqual([
    { target, request: 'PUT /v2/keys/a', value: 'v1' },
    { target, request: 'POST /v2/keys/b', value: 'v2' },
    { target, request: 'PUT /v2/keys/dir' },
    { target, request: 'DELETE /v2/keys/a?prevValue=v1' },
    { target, request: 'PUT /v2/keys/a', value: 'v1' },
  ]);
  expect([sent.of('v1'), sent.of('v2'), sent.of('v3')]).toEqual([2, 1, 0]);
});
