import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { axiosSender } from './axios-sender.js';
import type { HttpRequest } from './http.js';
import type { Platform, PlatformSettings } from './platform.js';

/** In a browser: axios over fetch, which hands over headers before the body. Connections and TLS are the browser's. */
export function createPlatform(settings: PlatformSettings): Platform {
  const instance = settings.axios ?? axios.create({ adapter: 'fetch' });
  return {
    send: axiosSender(instance, (pool) => adapterFor(instance, pool)),
    streams: false,
    close: () => undefined,
  };
}

/**
 * The adapter that a user's instance has unless told otherwise is XMLHttpRequest, which keeps an answer back until it is
 * complete: a poll would have no start, and no limit could tell an idle one from a dead one.
 */
const adapterFor = ({ defaults }: AxiosInstance, pool: HttpRequest['pool']): AxiosRequestConfig =>
  pool === 'watch' && typeof defaults.adapter !== 'function' ? { adapter: 'fetch' } : {};
