import { execFileSync } from 'node:child_process';
import { downAll, execCompose, upAll, type IDockerComposeOptions } from 'docker-compose';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/free-port.js';

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

async function ask(url: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body;
}

async function valueOf(url: string, key: string): Promise<string> {
  const { node } = await ask(`${url}/v2/keys/${key}`);
  return (node as { value: string }).value;
}

async function set(url: string, key: string, value: string): Promise<void> {
  await ask(`${url}/v2/keys/${key}`, { method: 'PUT', body: new URLSearchParams({ value }) });
}

/** The one member that all of these name as the leader, once it is not `former`. */
async function agreedLeader(members: string[], former?: string): Promise<string> {
  return eventually(
    async () => {
      const answers = await Promise.all(members.map((url) => ask(`${url}/v2/members/leader`)));
      const [leader, ...others] = new Set(answers.map(({ name }) => name as string));
      if (leader === undefined || leader === former || others.length > 0)
        throw new Error('no new leader yet');
      return leader;
    },
    { within: 30_000 },
  );
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

it('survives the death of its leader', async () => {
  const leader = await agreedLeader(urls);
  expect(names).toContain(leader);

  await set(urls[0]!, 'before', 'all three live');
  for (const url of urls) {
    await eventually(async () => {
      expect(await valueOf(url, 'before')).toBe('all three live');
    });
  }

  await run(execCompose('kill', ['-s', 'SIGKILL', leader], compose));
  await expect(ask(`${urls[names.indexOf(leader)]!}/version`)).rejects.toThrow();

  const survivors = urls.filter((_, i) => names[i] !== leader);
  const next = await agreedLeader(survivors, leader);
  expect(names).toContain(next);

  await set(survivors[0]!, 'after', 'one is dead');
  await eventually(async () => {
    expect(await valueOf(survivors[1]!, 'after')).toBe('one is dead');
  });
});
