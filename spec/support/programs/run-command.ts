import { execFile } from 'node:child_process';
import { Observable } from 'rxjs';

export interface RunCommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Longest run in ms; the child is ended after it. Default 120,000. */
  limit?: number;
}

/** Runs a program, emits what it wrote to stdout once it ended with 0, errors otherwise. Unsubscribing ends the child. */
export function runCommand(
  command: string,
  args: string[],
  { cwd, env = process.env, limit = 120_000 }: RunCommandOptions = {},
): Observable<string> {
  return new Observable<string>((subscriber) => {
    const child = execFile(command, args, { cwd, env, timeout: limit }, (error, stdout, stderr) => {
      if (error) {
        subscriber.error(new Error(`${command} failed: ${stderr.trim() || error.message}`));
        return;
      }
      subscriber.next(stdout);
      subscriber.complete();
    });
    return () => child.kill();
  });
}
