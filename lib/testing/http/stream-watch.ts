import type { ServerResponse } from 'node:http';
import type { Watcher } from '../store/watcher.js';
import { eventLine } from './key-json.js';

/**
 * Sends the headers at once, then each event as soon as the client takes it: one, or all that come. It ends with the answer
 * or with the connection.
 */
export function streamWatch(response: ServerResponse, watcher: Watcher): void {
  let blocked = false;
  const send = () => {
    while (!blocked && !response.writableEnded) {
      const event = watcher.take();
      if (event === undefined) return;
      if (!watcher.stream) response.end(eventLine(event));
      else blocked = !response.write(eventLine(event));
    }
  };
  response.flushHeaders();
  response.on('drain', () => {
    blocked = false;
    send();
  });
  response.on('close', () => watcher.remove());
  // Not within the change itself: what comes of one change at once waits in the watcher, as in etcd.
  watcher.onEvent(() => setImmediate(send));
  send();
}
