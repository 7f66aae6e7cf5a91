import type { IncomingMessage } from 'node:http';
import { Observable } from 'rxjs';

/** More than any form may hold; what comes behind it is not kept. */
const enough = 10 * 1024 * 1024 + 1;

/** Emits the body once it has come; an unfinished one never emits. */
export const readBody$ = (message: IncomingMessage): Observable<Buffer> =>
  new Observable((subscriber) => {
    const chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      if (size < enough) chunks.push(chunk);
      size += chunk.length;
    });
    message.once('end', () => {
      subscriber.next(Buffer.concat(chunks));
      subscriber.complete();
    });
  });
