import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { Observable, defer } from 'rxjs';

/**
 * Reads one process id a line (empty: none) and, once its input ends, kills the last one and removes the folder `$1`.
 * The second rm is for a file that the process was just writing.
 */
const script = `
trap '' INT TERM HUP
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -9 "$pid"; rm -rf -- "$1"; sleep 0.1; fi
rm -rf -- "$1"`;

/**
 * Ends a child process and removes its folder when this process ends in whatever way, a SIGKILL included: a small shell holds the
 * other end of a pipe. (Exit hooks do not run in Jest's workers, nor after a SIGKILL.) It never keeps this process alive.
 */
export class Reaper {
  readonly #shell: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(folder: string) {
    this.#shell = spawn('sh', ['-c', script, 'sh', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#ended = new Promise((resolve) => {
      this.#shell.once('exit', () => resolve());
      this.#shell.once('error', () => resolve());
    });
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as Socket).unref();
  }

  /** The child to kill from now on; undefined once it ended by itself, for its id may be given to another. */
  watch(pid: number | undefined): void {
    this.#shell.stdin?.write(`${pid ?? ''}\n`);
  }

  /** Kills and removes now, without telling when it is done. */
  end(): void {
    this.#shell.ref();
    this.#shell.stdin?.end();
  }

  /** Kills and removes now; emits once it is done. */
  end$(): Observable<void> {
    return defer(() => {
      this.end();
      return this.#ended;
    });
  }
}
