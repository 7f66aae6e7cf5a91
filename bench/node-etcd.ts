import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Answer {
  readonly action: string;
  readonly node: { readonly key: string; readonly value?: string; readonly modifiedIndex: number };
}
type Callback = (error: Error | null, answer?: Answer) => void;

/** The part of node-etcd that is measured. */
export interface NodeEtcd {
  get(key: string, callback: Callback): unknown;
  set(key: string, value: string, options: { maxRetries: number }, callback: Callback): unknown;
  set(key: string, value: string, callback: Callback): unknown;
  watcher(
    key: string,
    index: number | null,
    options: { recursive: boolean },
  ): {
    on(event: 'change', listener: (answer: Answer) => void): void;
    on(event: 'error' | 'resync', listener: (problem: unknown) => void): void;
    stop(): void;
  };
}

/** node-etcd 7, which has a package.json of its own here: nothing but the measurements needs it. */
export function nodeEtcd(hosts: string | readonly string[]): NodeEtcd {
  const load = createRequire(join(process.cwd(), 'bench', 'package.json'));
  const Client = load('node-etcd') as new (hosts: string | readonly string[]) => NodeEtcd;
  return new Client(hosts);
}
