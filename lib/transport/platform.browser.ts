import axios from 'axios';
import { axiosSender } from './axios-sender.js';
import type { Platform, PlatformSettings } from './platform.js';

/** In a browser: axios over fetch, which hands over headers before the body. Connections and TLS are the browser's. */
export function createPlatform(settings: PlatformSettings): Platform {
  const instance = settings.axios ?? axios.create({ adapter: 'fetch' });
  return { send: axiosSender(instance), streams: false, close: () => undefined };
}
