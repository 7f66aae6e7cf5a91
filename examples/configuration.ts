/**
 * A service that starts anew whenever its configuration changes. The configuration is one key, /config/web, as
 * `{ "port": 8080, "greeting": "hello" }`; what does not decode is reported, and the last good one goes on serving.
 * Ends when the key is deleted.
 */
import { createServer } from 'node:http';
import { EtcdClient } from 'rxetcd';
import { EMPTY, Observable, catchError, concatMap, defer, finalize, map, of, switchMap } from 'rxjs';

interface Config {
  readonly port: number;
  readonly greeting: string;
}

function decode(text: string): Config {
  const { port, greeting } = JSON.parse(text) as Record<string, unknown>;
  if (typeof port !== 'number') throw new Error('port: expected a number');
  if (typeof greeting !== 'string') throw new Error('greeting: expected a string');
  return { port, greeting };
}

/** The service. It runs for as long as it is subscribed, and emits once it listens. */
function serve$({ port, greeting }: Config): Observable<string> {
  return new Observable((subscriber) => {
    const server = createServer((_request, response) => response.end(greeting));
    server.on('error', (error) => subscriber.error(error));
    server.listen(port, () => subscriber.next(`serving "${greeting}" on port ${port}`));
    return () => server.close();
  });
}

const ignore = (error: unknown): Observable<never> => {
  console.log(`ignored: ${error instanceof Error ? error.message : String(error)}`);
  return EMPTY;
};

const client = new EtcdClient(process.env['ETCD_ENDPOINTS']?.split(',') ?? 'localhost:2379');

console.log('waiting for /config/web, as {"port":8080,"greeting":"hello"}');
client
  .watch$('/config/web', { initial: true, recursive: false, until: ({ action }) => action === 'delete' })
  .pipe(
    map(({ node }) => node.value), // undefined: not there yet, or deleted
    // Decoding fails inside, so that it ends nothing outside.
    concatMap((text) =>
      text === undefined ? of(undefined) : defer(() => of(decode(text))).pipe(catchError(ignore)),
    ),
    // The service before is closed as the next one starts.
    switchMap((config) => (config === undefined ? EMPTY : serve$(config).pipe(catchError(ignore)))),
    finalize(() => client.close()),
  )
  .subscribe({
    next: (line) => console.log(line),
    error: (error: unknown) => console.error(String(error)),
    complete: () => console.log('stopped: there is no configuration any more'),
  });
