/**
 * Command line: three real members in the foreground, and a prompt at which to make them fail (`help` lists how). Commands
 * may be piped in as well. `down`, Ctrl-C and the end of the input end every process.
 */
import { createInterface } from 'node:readline';
import {
  concat,
  concatMap,
  defer,
  finalize,
  fromEvent,
  map,
  merge,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
  type Observable,
} from 'rxjs';
import { help, perform$, status$ } from './cluster-console.js';
import { startLocalCluster, type LocalCluster } from './local-cluster.js';

// etcd's own timing: what happens takes as long as it does elsewhere.
const timing = { heartbeat: 100, election: 1_000 };
const { stdin, stdout } = process;

const say = (text: string): void => {
  if (text !== '') console.log(text);
};

/** Does one line after the other until `down`, Ctrl-C at the terminal, or the end of the input; the prompt is for a terminal alone. */
function converse$(cluster: LocalCluster): Observable<unknown> {
  return defer(() => {
    const prompt = createInterface({ input: stdin, ...(stdin.isTTY && { output: stdout }), prompt: '> ' });
    const ended$ = merge(fromEvent(prompt, 'SIGINT'), fromEvent(prompt, 'close'));
    const lines$ = (fromEvent(prompt, 'line') as Observable<string>).pipe(
      map((line) => line.trim().toLowerCase()),
      takeWhile((line) => line !== 'down'),
      takeUntil(ended$),
    );
    prompt.prompt();
    return lines$.pipe(
      concatMap((line) => perform$(cluster, line).pipe(tap({ next: say, complete: () => prompt.prompt() }))),
      finalize(() => {
        prompt.close();
        // An open pipe would keep this process alive.
        stdin.destroy();
      }),
    );
  });
}

const interrupted$ = merge(...['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => fromEvent(process, signal)));
const cluster$ = startLocalCluster({ partitions: true, timing }).pipe(takeUntil(interrupted$));

cluster$
  .pipe(
    switchMap((cluster) => {
      say(`\nETCD_ENDPOINTS=${cluster.endpoints.join(',')}\n${help}\n`);
      // From here on an interruption ends the conversation, and the members after it.
      const session$ = concat(status$(cluster).pipe(tap(say)), converse$(cluster));
      return concat(session$.pipe(takeUntil(interrupted$)), cluster.down$());
    }),
  )
  .subscribe({
    error: (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  });
