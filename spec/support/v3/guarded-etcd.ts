import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import type { ClientOptions } from '../../../lib/options.js';
import { bytesOf } from '../../../lib/v3/model/key-range.js';
import { createDataDir } from '../etcd/data-dir.js';
import type { EtcdProcess } from '../etcd/etcd-process.js';
import { startEtcd, v3Client, type V3UnderTest } from '../etcd/v3-under-test.js';

/** Of the user `root`, who may do all. */
export const rootAuth = { username: 'root', password: 'root-password' };
/** Of the user `plain`, who may read and write what begins with `/own/`. */
export const plainAuth = { username: 'plain', password: 'plain-password' };

/** An etcd that knows the two users. */
export interface GuardedEtcd {
  readonly member: EtcdProcess;
  readonly url: string;
  readonly version: string;
  /** A client of it, by default of `plain`; what it asks is counted by method, `Auth.Authenticate`. */
  client(options?: ClientOptions): V3UnderTest & { readonly asked: Record<string, number>; told: string[] };
  /** As root, whether authentication is on or not. */
  readonly admin: V3UnderTest;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one with authentication on. @param jwtTtl its tokens are JSON web tokens that live so long, as `2s` */
export async function startGuardedEtcd(flags: readonly string[] = [], jwtTtl?: string): Promise<GuardedEtcd> {
  const folder = jwtTtl === undefined ? undefined : createDataDir('jwt');
  const tokens = folder === undefined ? [] : jwtFlags(folder, `${jwtTtl}`);
  const member = await firstValueFrom(startEtcd(['--bcrypt-cost', '4', ...tokens, ...flags]));
  const url = member.clientUrl;
  const { etcdserver: version } = (await (await fetch(`${url}/version`)).json()) as { etcdserver: string };
  const clients: V3UnderTest[] = [];
  const client: GuardedEtcd['client'] = (options) => {
    const asked: Record<string, number> = {};
    const told: string[] = [];
    const made = Object.assign(v3Client({ endpoints: url, auth: plainAuth, ...options }), { asked, told });
    clients.push(made);
    made.events.events$.subscribe((event) => {
      told.push(JSON.stringify(event));
      if (event.type === 'request') asked[event.operation] = (asked[event.operation] ?? 0) + 1;
    });
    return made;
  };
  const admin = client({ auth: rootAuth });
  for (const { username: name, password } of [rootAuth, plainAuth])
    await admin.ask('Auth', 'UserAdd', { name, password });
  await admin.ask('Auth', 'UserGrantRole', { user: 'root', role: 'root' });
  await admin.ask('Auth', 'RoleAdd', { name: 'own' });
  await admin.ask('Auth', 'RoleGrantPermission', {
    name: 'own',
    perm: { permType: 'READWRITE', key: bytesOf('key', '/own/'), range_end: bytesOf('key', '/own0') },
  });
  await admin.ask('Auth', 'UserGrantRole', { user: 'plain', role: 'own' });
  await admin.ask('Auth', 'AuthEnable', {});
  return {
    member,
    url,
    version,
    client,
    admin,
    restart: async () => {
      await firstValueFrom(member.restart$());
      await firstValueFrom(member.ready$());
    },
    close: async () => {
      for (const { core } of clients) core.close();
      await firstValueFrom(member.terminate$());
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function jwtFlags(folder: string, ttl: string): readonly string[] {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const [pub, priv] = [join(folder, 'public.pem'), join(folder, 'private.pem')];
  writeFileSync(pub, publicKey);
  writeFileSync(priv, privateKey);
  return ['--auth-token', `jwt,pub-key=${pub},priv-key=${priv},sign-method=RS256,ttl=${ttl}`];
}
