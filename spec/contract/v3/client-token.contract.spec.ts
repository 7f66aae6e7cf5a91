import { EtcdClient, isAuthenticationError } from 'rxetcd/v3';
import { firstValueFrom } from 'rxjs';
import { afterEachTest } from '../../support/jest/clean-up.js';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { plainAuth, startGuardedEtcd } from '../../support/v3/guarded-etcd.js';

/* The client of a user, as users have it. */

const afterwards = afterEachTest();

test('connects, reads, writes and watches by name and password, over the end of each token', async () => {
  const etcd = await startGuardedEtcd(['--snapshot-count', '5']);
  afterwards(() => etcd.close());
  const client = await firstValueFrom(EtcdClient.connect$(etcd.url, { auth: plainAuth }));
  afterwards(() => client.close());
  const lines: string[] = [];
  client.logEvents({ level: 'debug', bodies: true, write: (line) => lines.push(line) });
  const values: string[] = [];
  client.watch$({ prefix: '/own/' }, { initial: true }).subscribe({
    next: (event) => {
      if (event.type === 'put') values.push(event.kv.value);
    },
    error: (error: unknown) => lines.push(`failed: ${String(error)}`),
  });
  await eventually(() => lines.some((line) => line.includes('live')));
  for (let round = 0; round < 3; round += 1) {
    await firstValueFrom(client.put$('/own/a', `${round}`));
    await eventually(() => values.includes(`${round}`));
    // The password stays; the tokens go.
    await etcd.admin.ask('Auth', 'UserChangePassword', { name: 'plain', password: plainAuth.password });
    expect(await firstValueFrom(client.getValue$('/own/a'))).toBe(`${round}`);
  }
  await etcd.restart();
  await firstValueFrom(client.put$('/own/a', 'last'));
  await eventually(() => values.includes('last'));
  expect(values).toEqual(['0', '1', '2', 'last']);
  const text = lines.join('\n');
  expect(text).toContain('/v3/auth/authenticate');
  expect(text).toContain('invalid auth token');
  expect(text).not.toMatch(/failed: /);
  expect(text).not.toContain(plainAuth.password);
  // A simple token: letters, a dot and the place in the log at which it was made.
  expect(text).not.toMatch(/\b[A-Za-z]{16}\.\d+/);
});

test('does not connect with a wrong password', async () => {
  const etcd = await startGuardedEtcd();
  afterwards(() => etcd.close());
  const auth = { ...plainAuth, password: 'wrong-password' };
  const error = await rejectionOf(EtcdClient.connect$(etcd.url, { auth }));
  expect(isAuthenticationError(error)).toBe(true);
  expect(String(error)).not.toContain('wrong-password');
  const anonymous = await rejectionOf(EtcdClient.connect$(etcd.url));
  expect((anonymous as Error).message).toContain('(no credentials were given: option auth)');
});
