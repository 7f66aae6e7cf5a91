/** Go's names of the architectures that Node names differently. */
const goArch: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/**
 * The environment an etcd child gets: this process's own without ETCD_* (etcd reads every flag from such a variable).
 * Away from amd64 ETCD_UNSUPPORTED_ARCH is set, without which older releases refuse to start there.
 */
export function etcdEnv(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_')));
  if (process.arch !== 'x64') env['ETCD_UNSUPPORTED_ARCH'] = goArch[process.arch] ?? process.arch;
  return env;
}
