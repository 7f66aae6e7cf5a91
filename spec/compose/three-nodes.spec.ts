import { execFileSync } from 'node:child_process';
import { downAll, execCompose, upAll, type IDockerComposeOptions } from 'docker-compose';
import { EtcdClient, isOutcomeUnknown } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/free-port.js';
import { Recording } from '../support/recording.js';

const names = ['etcd1', 'etcd2', 'etcd3'];
let urls: string[];
let compose: IDockerComposeOptions;

/** `docker compose` where the plugin is installed, else the older `docker-compose`. */
function executable(): Pick<IDockerComposeOptions, 'executable'> {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return {};
  } catch {
    return { executable: { standalone: true } };
  }
}

/** docker-compose rejects with what the command printed, which is no Error. */
async function run(command: Promise<unknown>): Promise<void> {
  await command.catch((reason: unknown) => {
    throw reason instanceof Error ? reason : new Error((reason as { err?: string }).err ?? String(reason));
  });
}

beforeAll(async () => {
  const ports = await firstValueFrom(freePorts(names.length));
  urls = ports.map((port) => `http://127.0.0.1:${port}`);
  compose = {
    config: 'compose/three-nodes.yml',
    composeOptions: ['-p', `rxetcd-spec-${process.pid}`],
    env: { ...process.env, ...Object.fromEntries(ports.map((port, i) => [`PORT${i + 1}`, `${port}`])) },
    ...executable(),
  };
  await run(upAll(compose));
});

afterAll(async () => {
  await run(downAll({ ...compose, commandOptions: ['--volumes', '--timeout', '1'] }));
});

it('is followed through the death of its leader and its return', async () => {
  const client = new EtcdClient(urls, { heartbeat: 500, probeTimeout: 500, timeout: 3_000 });
  try {
    const recording = new Recording(client, urls);
    await recording.progress();
    const leader = client.clusterState$.value.leader?.name ?? '';
    expect(names).toContain(leader);

    await run(execCompose('kill', ['-s', 'SIGKILL', leader], compose));
    await recording.progress(100);
    const next = client.clusterState$.value.leader?.name;
    expect(names).toContain(next);
    expect(next).not.toBe(leader);
    expect(client.clusterState$.value.members.find(({ name }) => name === leader)?.status).toBe('down');

    await run(execCompose('start', [leader], compose));
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'), {
      within: 30_000,
    });
    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
    expect(recording.failures.filter((e) => !isOutcomeUnknown(e))).toEqual([]);
  } finally {
    client.close();
  }
});
