import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Watcher {
  on(event: 'put', listener: (kv: { readonly key: Buffer }) => void): this;
  /** Closing the client does not end it. */
  cancel(): Promise<void>;
}

interface WatchBuilder {
  key(key: string): this;
  prefix(prefix: string): this;
  /** Resolves once it stands. */
  create(): Promise<Watcher>;
}

/** The part of npm's etcd3 that is measured. */
export interface Etcd3 {
  get(key: string): { string(): Promise<string | null> };
  put(key: string): { value(value: string): Promise<unknown> };
  watch(): WatchBuilder;
  close(): void;
}

/** npm's etcd3, over gRPC; it stands in the package.json of the rivals. */
export function etcd3(hosts: string | readonly string[], ca?: string): Etcd3 {
  const load = createRequire(join(process.cwd(), 'bench', 'package.json'));
  const { Etcd3: Client } = load('etcd3') as { Etcd3: new (options: object) => Etcd3 };
  return new Client({
    hosts,
    ...(ca === undefined ? {} : { credentials: { rootCertificate: Buffer.from(ca) } }),
  });
}
