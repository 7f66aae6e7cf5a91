import { execFileSync } from 'node:child_process';
import { downAll, execCompose, upAll, type IDockerComposeOptions } from 'docker-compose';
import { catchError, defer, map, tap, throwError, type Observable } from 'rxjs';
import { ComposeReaper } from './compose-reaper.js';
import { runCommand } from '../programs/run-command.js';

let projects = 0;

/**
 * One compose file as a project of its own, with Docker's two command lines: `docker compose` where the plugin is installed,
 * else the older `docker-compose`; and `docker` for what they cannot do. Operations are cold, emit once and complete.
 */
export class Compose {
  readonly project = `rxetcd-${process.pid}-${(projects += 1)}`;
  readonly #options: IDockerComposeOptions;
  readonly #reaper: ComposeReaper;

  /**
   * @param file as `compose/one-node.yml`
   * @param variables what the file leaves open
   */
  constructor(file: string, variables: Record<string, string>) {
    const standalone = !hasPlugin();
    this.#options = {
      config: file,
      composeOptions: ['-p', this.project],
      env: { ...process.env, ...variables },
      ...(standalone && { executable: { standalone } }),
    };
    const command = [
      ...(standalone ? ['docker-compose'] : ['docker', 'compose']),
      '-f',
      file,
      '-p',
      this.project,
    ];
    this.#reaper = new ComposeReaper([...command, 'down', ...downOptions], this.#options.env!);
  }

  /** Starts everything; emits when the containers run. */
  up$(): Observable<void> {
    return done(() => upAll(this.#options));
  }

  /** Ends everything and removes the data. */
  down$(): Observable<void> {
    return done(() => downAll({ ...this.#options, commandOptions: downOptions })).pipe(
      tap(() => this.#reaper.release()),
    );
  }

  /** `down$` without waiting. */
  abandon(): void {
    this.#reaper.end();
  }

  start$(service: string): Observable<void> {
    return done(() => execCompose('start', [service], this.#options));
  }

  signal$(service: string, signal: NodeJS.Signals): Observable<void> {
    return done(() => execCompose('kill', ['-s', signal, service], this.#options));
  }

  /** The id of a running service's container. */
  container$(service: string): Observable<string> {
    return defer(() => execCompose('ps', ['-q', service], this.#options)).pipe(
      failures(),
      map(({ out }) => out.trim()),
    );
  }

  /** Emits when the container has ended. */
  ended$(container: string): Observable<void> {
    return docker$('wait', container);
  }

  /** Takes a container out of one of the project's networks, all connections in it included. */
  disconnect$(network: string, container: string): Observable<void> {
    return docker$('network', 'disconnect', `${this.project}_${network}`, container);
  }

  connect$(network: string, container: string, alias: string): Observable<void> {
    return docker$('network', 'connect', '--alias', alias, `${this.project}_${network}`, container);
  }
}

const downOptions = ['--volumes', '--timeout', '1'];

function hasPlugin(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const docker$ = (...args: string[]): Observable<void> =>
  runCommand('docker', args).pipe(map(() => undefined));

const done = (command: () => Promise<unknown>): Observable<void> =>
  defer(command).pipe(
    failures(),
    map(() => undefined),
  );

/** docker-compose rejects with what the command has printed, which is no Error. */
function failures<T>() {
  return catchError<T, Observable<never>>((reason: unknown) =>
    throwError(() => (reason instanceof Error ? reason : new Error((reason as { err: string }).err))),
  );
}
