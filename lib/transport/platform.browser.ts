import axios, { type AxiosInstance } from 'axios';
import { axiosSender, type RequestSettings } from './axios-sender.js';
import type { HttpRequest } from './http.js';
import type { Platform, PlatformSettings } from './platform.js';

/** In a browser: axios over fetch, which hands over headers before the body. Connections and TLS are the browser's. */
export function createPlatform(settings: PlatformSettings): Platform {
  const instance = settings.axios ?? axios.create({ adapter: 'fetch' });
  return {
    send: axiosSender(instance, ({ request }) => settingsFor(instance, request.pool)),
    streams: false,
    close: () => undefined,
  };
}

/**
 * XMLHttpRequest, which an instance uses unless told otherwise, keeps an answer back until it is complete: a poll would
 * have no start, and no limit could tell an idle one from a dead one. And etcd allows no page of another origin the
 * header in which axios names itself, which Firefox and Safari let it set.
 */
const settingsFor = ({ defaults }: AxiosInstance, pool: HttpRequest['pool']): RequestSettings => ({
  headers: { 'user-agent': false },
  ...(pool === 'watch' && !hasOwnAdapter(defaults) ? { adapter: 'fetch' } : {}),
});

const hasOwnAdapter = ({ adapter }: AxiosInstance['defaults']): boolean =>
  [adapter].flat().some((one) => typeof one === 'function');
