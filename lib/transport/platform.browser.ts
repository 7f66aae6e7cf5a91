import axios, { type AxiosInstance } from 'axios';
import { browserAbilities } from './abilities.js';
import { axiosSender, type RequestSettings } from './http1/axios-sender.js';
import { CommandQueue } from './http1/command-queue.browser.js';
import type { HttpRequest } from './http.js';
import { ChannelTabs } from './http1/other-tabs.browser.js';
import type { Platform, PlatformSettings } from './platform.js';

/**
 * In a browser: axios over fetch, which hands over headers before the body. Connections and TLS are the browser's, which
 * has few for all its tabs.
 */
export function createPlatform(settings: PlatformSettings): Platform {
  const instance = settings.axios ?? axios.create({ adapter: 'fetch' });
  const tabs = new ChannelTabs();
  const commands = new CommandQueue(
    axiosSender(instance, {
      settings: ({ request }) => settingsFor(instance, request.pool),
      ended: (wire) => {
        commands.ended(wire);
      },
    }),
    (endpoint) => tabs.polls(endpoint),
  );
  tabs.listen((endpoint) => {
    commands.next(endpoint);
  });
  return {
    send: (wire) => {
      tabs.join(wire.request.endpoint);
      commands.send(wire);
    },
    abilities: browserAbilities,
    tabs,
    forget: (endpoint) => {
      commands.forget(endpoint);
      tabs.leave(endpoint);
    },
    close: () => {
      tabs.close();
    },
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
