#!/usr/bin/env node
/** Command line: an embedded etcd in the foreground, for development and tests. `--help` tells how. */
import {
  NEVER,
  concat,
  defer,
  fromEvent,
  ignoreElements,
  merge,
  switchMap,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { EmbeddedCluster } from '../embedded-cluster.js';
import { readArguments, usage, type DevArguments } from './dev-arguments.js';
import { greeting, whyNot } from './dev-texts.js';

/** A wrong argument, as command lines have it. */
const misused = 2;

const interrupted$ = merge(
  ...['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => fromEvent(process, signal)),
).pipe(take(1));

/** Serves until it is interrupted. */
const serve$ = ({ host, port, members, allowedHosts }: DevArguments): Observable<never> =>
  EmbeddedCluster.start$(members, { host, port, allowedHosts, alone: true }).pipe(
    tap((cluster) => console.log(greeting(cluster, host, allowedHosts))),
    switchMap((cluster) =>
      concat(
        NEVER.pipe(takeUntil(interrupted$)),
        defer(() => cluster.stop$()),
      ),
    ),
    ignoreElements(),
  );

function main(): void {
  let asked: DevArguments;
  try {
    asked = readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`rxetcd-dev: ${(error as Error).message}\nrxetcd-dev --help tells what there is`);
    process.exitCode = misused;
    return;
  }
  if (asked.help) console.log(usage);
  else
    serve$(asked).subscribe({
      error: (error: unknown) => {
        console.error(`rxetcd-dev: ${whyNot(error as Error, asked)}`);
        process.exitCode = 1;
      },
    });
}

main();
