/** How fast a cluster notices a dead leader. Both in ms; etcd wants election >= 5 * heartbeat. */
export interface EtcdTiming {
  /** `--heartbeat-interval`. Default 20 (etcd's own: 100). */
  heartbeat?: number;
  /** `--election-timeout`. Default 200 (etcd's own: 1000). */
  election?: number;
}

/**
 * For a single member whose every answer is looked at: it gives up what it could not commit within 5 s and two elections, so that
 * these are long on a busy machine. Takes up to 5 s to start.
 */
export const patient: EtcdTiming = { heartbeat: 100, election: 5_000 };

/** TLS for clients, besides the plain port. All are files; etcd reads certificate and key anew for each handshake. */
export interface EtcdTls {
  certFile: string;
  keyFile: string;
  /** The authority whose client certificates are let in, and wanted. Default: any client is let in. */
  clientCaFile?: string;
}

export interface EtcdFlagsOptions {
  version: string;
  name: string;
  dataDir: string;
  /** Where it listens for clients; also what it tells them. */
  clientUrl: string;
  /** Where it listens for clients with TLS; it then tells of both. */
  secure?: EtcdTls & { url: string };
  /** Where it listens for other members. */
  listenPeerUrl: string;
  /** What the members call each other by, per name; a member's own may lead through a proxy to its `listenPeerUrl`. */
  peerUrls: Record<string, string>;
  timing?: EtcdTiming;
  /** Come last, and the last one wins. */
  flags?: string[];
}

/** The command line of one member with the v2 API on, errors logged only, as its release wants it. */
export function etcdFlags({
  version,
  name,
  dataDir,
  clientUrl,
  secure,
  listenPeerUrl,
  peerUrls,
  timing,
  flags = [],
}: EtcdFlagsOptions): string[] {
  const cluster = Object.entries(peerUrls).map(([member, url]) => `${member}=${url}`);
  const clientUrls = secure === undefined ? clientUrl : `${secure.url},${clientUrl}`;
  return [
    ...['--name', name],
    ...['--data-dir', dataDir],
    ...['--listen-client-urls', clientUrls],
    ...['--advertise-client-urls', clientUrls],
    ...(secure === undefined ? [] : tlsFlags(secure)),
    ...['--listen-peer-urls', listenPeerUrl],
    ...['--initial-advertise-peer-urls', peerUrls[name] ?? listenPeerUrl],
    ...['--initial-cluster', cluster.join(',')],
    ...['--heartbeat-interval', String(timing?.heartbeat ?? 20)],
    ...['--election-timeout', String(timing?.election ?? 200)],
    ...releaseFlags(version),
    ...flags,
  ];
}

function tlsFlags({ certFile, keyFile, clientCaFile }: EtcdTls): string[] {
  return [
    ...['--cert-file', certFile],
    ...['--key-file', keyFile],
    ...(clientCaFile === undefined ? [] : ['--client-cert-auth', '--trusted-ca-file', clientCaFile]),
  ];
}

function releaseFlags(version: string): string[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 3 && minor < 4) return ['--log-package-levels', '*=ERROR'];
  return [...(minor < 6 ? ['--enable-v2=true'] : []), '--logger', 'zap', '--log-level', 'error'];
}
