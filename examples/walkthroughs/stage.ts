import { deepStrictEqual } from 'node:assert';
import { EmbeddedCluster } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';

/** Three members for a walkthrough to kill. */
export interface Stage {
  readonly endpoints: string[];
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  end(): Promise<void>;
}

/** Members within this process. The second one leads at first, so that a walkthrough reads the same each time. */
async function embedded(): Promise<Stage> {
  const cluster = await firstValueFrom(EmbeddedCluster.start$(3));
  cluster.elect(cluster.members[1]);
  const member = (name: string) => cluster.members.find((one) => one.name === name)!;
  return {
    endpoints: cluster.endpoints,
    kill: (name) => firstValueFrom(member(name).kill$()),
    restart: (name) => firstValueFrom(member(name).restart$()),
    end: () => firstValueFrom(cluster.stop$()),
  };
}

/** Processes of a real etcd. */
async function real(): Promise<Stage> {
  const { startLocalCluster } = await import('../../spec/support/cluster/local-cluster.js');
  const cluster = await firstValueFrom(startLocalCluster());
  const member = (name: string) => cluster.members.find((one) => one.name === name)!;
  return {
    endpoints: cluster.endpoints,
    kill: (name) => firstValueFrom(member(name).kill$()),
    restart: (name) => firstValueFrom(member(name).restart$()),
    end: () => firstValueFrom(cluster.down$()),
  };
}

/** Walks through on embedded members, or with `--etcd` on those of a real etcd. What is not as it should be is an exit code of 1. */
export function walk(through: (stage: Stage) => Promise<void>): void {
  const walking = async (): Promise<void> => {
    const stage = await (process.argv.includes('--etcd') ? real() : embedded());
    await through(stage).finally(() => stage.end());
  };
  walking().catch((error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
  });
}

/** Prints what was found; fails if it is not what was expected. */
export function check(what: string, found: unknown, expected: unknown): void {
  console.log(`${what}: ${shown(found)}`);
  deepStrictEqual(found, expected, `${what}: expected ${shown(expected)}`);
}

const shown = (value: unknown): string => (value === undefined ? 'undefined' : JSON.stringify(value));
