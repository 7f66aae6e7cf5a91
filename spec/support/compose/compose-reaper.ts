import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** Runs the command once its input ends without a line. */
const script = `trap '' INT TERM HUP; read -r line || exec "$@"`;

/**
 * Takes a compose project down when this process ends in whatever way, a SIGKILL included: a small shell holds the other end
 * of a pipe. It never keeps this process alive.
 */
export class ComposeReaper {
  readonly #shell: ChildProcess;

  /** @param down the command and its arguments */
  constructor(down: readonly string[], env: NodeJS.ProcessEnv) {
    this.#shell = spawn('sh', ['-c', script, 'sh', ...down], {
      env,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as Socket).unref();
  }

  /** The project is down. */
  release(): void {
    this.#shell.stdin?.end('\n');
  }

  /** Takes it down now, without telling when that is done. */
  end(): void {
    this.#shell.stdin?.end();
  }
}
