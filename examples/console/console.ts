/**
 * A Node REPL with a client at hand, and all of rxetcd and rxjs in scope. An Observable that is typed at the prompt is subscribed
 * and prints its values; Ctrl-C unsubscribes it.
 *
 *   npm run console                          on three embedded members: `client`, and `cluster` to kill them
 *   npm run console -- --attach HOST:PORT    on a cluster that runs (more endpoints with commas between): `client`
 *
 * What is piped in is done line by line, each after the one before has come to its end.
 */
import { createInterface } from 'node:readline';
import { start, type REPLServer } from 'node:repl';
import { PassThrough } from 'node:stream';
import { parseArgs } from 'node:util';
import * as rxetcd from 'rxetcd';
import { EmbeddedCluster } from 'rxetcd/testing';
import * as rxjs from 'rxjs';
import {
  EMPTY,
  concat,
  concatMap,
  defer,
  fromEvent,
  map,
  merge,
  of,
  switchMap,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { Observing } from './observing.js';

/** What is at hand at the prompt, besides rxetcd and rxjs. */
interface Names {
  client: rxetcd.EtcdClient;
  cluster?: EmbeddedCluster;
}

const { stdin, stdout } = process;
const print = (line: string): void => console.log(line);

const names$ = (attach: string | undefined): Observable<Names> =>
  attach === undefined
    ? EmbeddedCluster.start$(3, { alone: true }).pipe(
        map((cluster) => ({ cluster, client: new rxetcd.EtcdClient(cluster.endpoints) })),
      )
    : defer(() => of({ client: new rxetcd.EtcdClient(attach.split(',')) }));

const welcome = ({ client, cluster }: Names): string =>
  [
    `ETCD_ENDPOINTS=${client.endpoints.join(',')}`,
    `client   ${String(client)}`,
    ...(cluster === undefined
      ? []
      : ['cluster  cluster.leader.kill$(), cluster.members[0].restart$(), freeze(), ...']),
    "An Observable is subscribed and prints its values: client.set$('/a', '1'), client.watch$('/a'), client.clusterState$",
    'Ctrl-C unsubscribes; on an empty prompt, twice, it ends this, and so does .exit',
  ].join('\n');

/** Lives until the prompt is left or the piped lines have come to their end. */
function session$(names: Names): Observable<unknown> {
  return defer(() => {
    print(welcome(names));
    const terminal = stdin.isTTY;
    // Piped lines are handed over one by one below.
    const input = terminal ? stdin : new PassThrough();
    const server = start({
      input,
      output: stdout,
      terminal,
      prompt: terminal ? '> ' : '',
      useGlobal: true,
      ignoreUndefined: true,
    });
    const fill = (): void => {
      // Without a cluster of ours the name would be that of a module of Node.
      Object.assign(server.context, rxjs, rxetcd, { cluster: undefined, ...names });
    };
    fill();
    server.on('reset', fill);
    const observing = new Observing(server, print, terminal);
    handleInterrupts(server, observing);
    const exit$ = fromEvent(server, 'exit').pipe(take(1));
    return terminal ? exit$ : merge(exit$, piped$(server, observing)).pipe(takeUntil(exit$));
  });
}

/** Ctrl-C unsubscribes from what runs. If nothing does, it is the REPL's own at a terminal, and the end elsewhere. */
function handleInterrupts(server: REPLServer, observing: Observing): void {
  const usual = server.listeners('SIGINT');
  server.removeAllListeners('SIGINT');
  server.on('SIGINT', () => {
    if (!observing.stop()) for (const listener of usual) listener.call(server);
  });
  process.on('SIGINT', () => {
    if (!observing.stop()) server.close();
  });
  process.once('SIGTERM', () => server.close());
}

/** Does one piped line after the other, then leaves. */
function piped$(server: REPLServer, observing: Observing): Observable<unknown> {
  const reader = createInterface({ input: stdin });
  const lines$ = (fromEvent(reader, 'line') as Observable<string>).pipe(
    takeUntil(fromEvent(reader, 'close')),
  );
  return lines$.pipe(
    concatMap((line) => observing.perform$(line)),
    tap({ complete: () => server.close() }),
  );
}

/** Closes what is behind the names. */
const end$ = ({ client, cluster }: Names): Observable<unknown> =>
  defer(() => {
    client.close();
    // An open pipe would keep this process alive.
    stdin.destroy();
    return cluster?.stop$() ?? EMPTY;
  });

defer(() => {
  const { values } = parseArgs({ options: { attach: { type: 'string' } } });
  return names$(values.attach);
})
  .pipe(switchMap((names) => concat(session$(names), end$(names))))
  .subscribe({
    error: (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
    },
  });
