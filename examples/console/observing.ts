import type { REPLServer } from 'node:repl';
import { inspect } from 'node:util';
import { NEVER, Subject, defer, isObservable, merge, take, type Observable, type Subscription } from 'rxjs';

/** Makes a REPL subscribe to what is an Observable, and print its values and its error, one line each, as they come. */
export class Observing {
  readonly #server: REPLServer;
  readonly #print: (line: string) => void;
  readonly #colors: boolean;
  readonly #running = new Set<Subscription>();
  /** The REPL asks for the next line: whatever became of the last one, it is over. */
  readonly #prompts$ = new Subject<void>();

  constructor(server: REPLServer, print: (line: string) => void, colors: boolean) {
    this.#server = server;
    this.#print = print;
    this.#colors = colors;
    const evaluate = server.eval.bind(server);
    const observing: typeof evaluate = (line, context, file, done) => {
      evaluate(line, context, file, (error, result: unknown) => {
        if (error === null && isObservable(result)) this.#observe(result, () => done(null, undefined));
        else done(error, result);
      });
    };
    const prompt = server.displayPrompt.bind(server);
    const displayPrompt: typeof prompt = (preserveCursor) => {
      prompt(preserveCursor);
      this.#prompts$.next();
    };
    Object.assign(server, { eval: observing, displayPrompt });
  }

  /** Hands a line over, and emits once it has come to its end, and its Observable with it. */
  perform$(line: string): Observable<unknown> {
    const write$ = defer(() => {
      this.#server.write(`${line}\n`);
      return NEVER;
    });
    return merge(this.#prompts$, write$).pipe(take(1));
  }

  /** Unsubscribes from what runs; false if nothing does. */
  stop(): boolean {
    const any = this.#running.size > 0;
    for (const subscription of this.#running) subscription.unsubscribe();
    return any;
  }

  #observe(observable: Observable<unknown>, ended: () => void): void {
    const subscription = observable.subscribe({
      next: (value) => this.#print(this.#shown(value)),
      error: (error: unknown) => this.#print(`failed: ${String(error)}`),
    });
    this.#running.add(subscription);
    // Called at once if it is over already.
    subscription.add(() => {
      this.#running.delete(subscription);
      ended();
    });
  }

  #shown(value: unknown): string {
    const text = inspect(value, { breakLength: Infinity, compact: true, depth: 8, colors: this.#colors });
    return text.replace(/\s*\n\s*/g, ' ');
  }
}
