import { connect } from 'node:net';
import { Observable } from 'rxjs';

/** Emits whether somebody listens on this loopback port. */
export function canConnect$(port: number): Observable<boolean> {
  return new Observable<boolean>((subscriber) => {
    const tell = (connected: boolean) => {
      subscriber.next(connected);
      subscriber.complete();
    };
    const socket = connect(port, '127.0.0.1', () => tell(true)).on('error', () => tell(false));
    return () => socket.destroy();
  });
}
