import { firstValueFrom, type Observable } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** One write that came by. */
export interface SentWrite {
  /** The URL of the member that it was meant for. */
  readonly target: string;
  /** As `PUT /v2/keys/a`. */
  readonly request: string;
  /** What its form is to store, as it was encoded. */
  readonly value?: string;
}

/** The writes that clients have sent, over all taps; each is one piece of a stream, as small ones are. */
export class SentWrites {
  /** In order of arrival. */
  readonly all: SentWrite[] = [];

  /** How often a value was sent. */
  of(value: string): number {
    return this.all.filter((write) => write.value === value).length;
  }

  /** @internal */
  hear(target: string, piece: Buffer): void {
    for (const text of piece.toString('latin1').split(/^(?=(?:PUT|POST|DELETE) \/)/m)) {
      const request = /^(?:PUT|POST|DELETE) \/\S*/.exec(text)?.[0];
      const value = /\r\n\r\n(?:.*&)?value=([^&\s]*)/.exec(text)?.[1];
      if (request !== undefined)
        this.all.push({ target, request, ...(value === undefined ? {} : { value }) });
    }
  }
}

/** Starts a TCP proxy that notes the writes sent through it, before anything can happen to them; it lives until `close$`. */
export function startWriteTap(targetUrl: string, sent: SentWrites): Observable<TcpProxy> {
  return startTcpProxy(targetUrl, { heard: (piece) => sent.hear(targetUrl, piece) });
}

/** Ends `refuse`. While nobody listened, an outgoing connection may have been given the port for a moment. */
export async function acceptAgain(tap: TcpProxy): Promise<void> {
  await eventually(() => firstValueFrom(tap.accept$()));
}
