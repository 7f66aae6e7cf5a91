import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { debianReleases } from './debian-etcd.js';
import { EtcdProcess, isPortTaken } from './etcd-process.js';
import { findEtcd } from './find-etcd.js';
import { freePorts } from '../ports/free-port.js';
import { httpGet } from './http-get.js';
import { afterEachTest } from '../jest/clean-up.js';

const afterwards = afterEachTest();

async function create(
  options: Partial<ConstructorParameters<typeof EtcdProcess>[0]> = {},
): Promise<EtcdProcess> {
  const binary = options.binary ?? (await firstValueFrom(findEtcd()));
  const [clientPort, peerPort] = (await firstValueFrom(freePorts(2))) as [number, number];
  return new EtcdProcess({ binary, clientPort, peerPort, ...options });
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  afterwards(() => server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

describe('EtcdProcess', () => {
  let member: EtcdProcess;
  afterEach(() => firstValueFrom(member.terminate$()));

  test.each(debianReleases)('starts the etcd of %s with the v2 API, without a word', async (release) => {
    member = await create({ binary: await firstValueFrom(findEtcd({ release })) });
    await firstValueFrom(member.start$());
    await firstValueFrom(member.ready$());
    const { status } = await firstValueFrom(httpGet(`${member.clientUrl}/v2/keys/`, 1_000));
    expect(status).toBe(200);
    expect(member.log).toEqual([]);
  });

  test('kill$ ends it, restart$ brings it back with its data', async () => {
    member = await create();
    await firstValueFrom(member.start$());
    await firstValueFrom(member.ready$());
    await fetch(`${member.clientUrl}/v2/keys/kept`, {
      method: 'PUT',
      body: new URLSearchParams({ value: 'yes' }),
    });
    const pid = member.pid!;

    await firstValueFrom(member.kill$());
    expect([member.state, member.pid, isAlive(pid)]).toEqual(['down', undefined, false]);
    await firstValueFrom(member.kill$());

    await firstValueFrom(member.restart$());
    await firstValueFrom(member.ready$());
    expect((await firstValueFrom(httpGet(`${member.clientUrl}/v2/keys/kept`, 1_000))).body).toContain(
      '"value":"yes"',
    );
    await firstValueFrom(member.restart$());
    expect(member.state).toBe('running');
  });

  test('stop$ freezes it, resume$ lets it go on; a frozen one can be killed', async () => {
    member = await create();
    await firstValueFrom(member.start$());
    await firstValueFrom(member.ready$());

    await firstValueFrom(member.stop$());
    expect(member.state).toBe('stopped');
    expect(readFileSync(`/proc/${member.pid}/stat`, 'utf8')).toContain(') T ');
    await expect(firstValueFrom(httpGet(`${member.clientUrl}/version`, 100))).rejects.toThrow(
      'within 100 ms',
    );

    await firstValueFrom(member.resume$());
    expect(member.state).toBe('running');
    expect((await firstValueFrom(httpGet(`${member.clientUrl}/version`, 1_000))).status).toBe(200);

    await firstValueFrom(member.stop$());
    await firstValueFrom(member.kill$());
    expect(member.state).toBe('down');
    await expect(firstValueFrom(member.stop$())).rejects.toThrow('is down');
  });

  test('without a quorum it starts and is not ready', async () => {
    const [other] = await firstValueFrom(freePorts(1));
    member = await create();
    const lonely = new EtcdProcess({
      binary: await firstValueFrom(findEtcd()),
      clientPort: Number(new URL(member.clientUrl).port),
      peerPort: Number(new URL(member.peerUrl).port),
      peerUrls: { etcd1: member.peerUrl, etcd2: `http://127.0.0.1:${other}` },
    });
    await firstValueFrom(member.terminate$());
    member = lonely;
    await firstValueFrom(member.start$());
    await expect(firstValueFrom(httpGet(`${member.clientUrl}/v2/members/leader`, 300))).rejects.toThrow(
      'no answer',
    );
  });

  test('terminate$ removes process and data', async () => {
    member = await create();
    await firstValueFrom(member.start$());
    const pid = member.pid!;
    expect(readdirSync(member.dataDir)).not.toEqual([]);
    await firstValueFrom(member.terminate$());
    expect([isAlive(pid), existsSync(member.dataDir)]).toEqual([false, false]);
  });

  test.each(['clientPort', 'peerPort'] as const)('says that its %s is taken', async (which) => {
    const [port] = (await firstValueFrom(freePorts(1))) as [number];
    await listenOn(port);
    member = await create({ [which]: port });
    const started = firstValueFrom(member.start$());
    expect(await started.catch(isPortTaken)).toBe(true);
  });

  test('restart$ waits for a port that somebody took meanwhile', async () => {
    member = await create();
    await firstValueFrom(member.start$());
    await firstValueFrom(member.ready$());
    await firstValueFrom(member.kill$());
    const server = await listenOn(Number(new URL(member.peerUrl).port));
    const restarted = firstValueFrom(member.restart$());
    await expect(
      Promise.race([
        restarted.then(() => 'up'),
        new Promise((resolve) => setTimeout(resolve, 400, 'waiting')),
      ]),
    ).resolves.toBe('waiting');
    server.close();
    await restarted;
    await firstValueFrom(member.ready$());
  });

  test('an end at the start is an error with its last words', async () => {
    member = await create({ flags: ['--no-such-flag'] });
    await expect(firstValueFrom(member.start$())).rejects.toThrow('no-such-flag');
  });
});
