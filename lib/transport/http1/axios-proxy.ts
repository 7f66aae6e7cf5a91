import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import { proxyOf } from './environment-proxy.js';

/**
 * The proxy of the environment as axios takes it, which reads the variables by rules of its own. Nothing where the
 * instance says what it wants, or where its adapter takes no part in proxies.
 *
 * @throws UnusableError when the environment names a proxy that cannot be used
 */
export function axiosProxy(
  { defaults: { proxy, adapter } }: AxiosInstance,
  endpoint: string,
): Pick<AxiosRequestConfig, 'proxy'> {
  const names: unknown[] = [adapter].flat();
  if (proxy !== undefined || !names.includes('http')) return {};
  const found = proxyOf(endpoint);
  if (found === undefined) return { proxy: false };
  const { protocol, hostname, port } = new URL(found.origin);
  return {
    proxy: {
      protocol,
      host: hostname,
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      ...(found.credentials === undefined ? {} : { auth: found.credentials }),
    },
  };
}
