import type { LocalClusterOptions } from '../../spec/support/cluster/local-cluster.js';

/** The etcd that v3 is measured on: $ETCD_BIN, else 3.5 of Debian's trixie; with the flags that it comes with, without v2. */
export const v3Server = (): Pick<LocalClusterOptions, 'release' | 'flags'> => ({
  ...(process.env['ETCD_BIN'] ? {} : { release: 'trixie' as const }),
  flags: ['--enable-v2=false'],
});
