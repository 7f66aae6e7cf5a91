import type { Socket } from 'node:net';

/**
 * Ends a connection with a reset (RST). One that is still being opened, or was half closed from here, is closed plainly: Node's own
 * `resetAndDestroy` would wait for the first and may leak the second.
 */
export function resetSocket(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
