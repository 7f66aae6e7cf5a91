import type { ClientOptions, EtcdNode, WatchEvent, WatchOptions } from 'rxetcd';
import type { BurstWrite } from '../promises/burst-writer.js';
import { serverUnderTest } from './server-under-test.js';
import { ordered, reliable, unique, type Stored } from '../promises/validators.js';
import { WatchLog } from '../promises/watch-log.js';

/** One etcd for a spec file about bursts, a directory for each test, and short words for what happens there. */
export function burstsUnderTest() {
  const server = serverUnderTest();
  let dir: string;
  beforeEach(() => {
    dir = server.key();
  });
  return {
    server,
    get dir() {
      return dir;
    },
    /** A watch that stands. */
    watch: async (key: string, options?: WatchOptions, clientOptions?: ClientOptions): Promise<WatchLog> => {
      const log = new WatchLog(server.client(clientOptions), key, options);
      server.afterwards(() => log.unsubscribe());
      return log.live();
    },
    /** Each key once, so that a state shows which writes it holds. */
    each: (i: number): BurstWrite => ({ key: `${dir}/${String(i)}`, value: String(i) }),
  };
}

export const series = (count: number, write: (i: number) => BurstWrite): BurstWrite[] =>
  Array.from({ length: count }, (_, i) => write(i));

/** The keys below a node. */
export const leaves = (node: EtcdNode): EtcdNode[] =>
  node.dir === true ? (node.nodes ?? []).flatMap(leaves) : [node];

/** All, once, in order, and no resync. */
export function expectWhole(events: readonly WatchEvent[], stored: readonly Stored[]): void {
  expect([...ordered(events), ...unique(events), ...reliable(events, stored)]).toEqual([]);
}
