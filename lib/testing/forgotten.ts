/** What an open cluster tells of itself. */
export interface OpenServer {
  readonly urls: readonly string[];
  /** Where in the user's code it was started. */
  readonly startedAt: string;
  /** Of its members: how many listen, and their open connections. */
  readonly handles: { readonly servers: number; readonly sockets: number };
}

/** Between two looks, in ms. */
const lookPeriodMs = 1_000;
/** How many looks in a row must find nothing else before it is said: a test that is about to start leaves a process idle, too. */
const looksBeforeWarning = 5;
/** What a test runner or a shell keeps open without waiting for it. */
const surroundings = ['PipeWrap', 'TTYWrap', 'MessagePort'];

const open = new Set<OpenServer>();
let looking: NodeJS.Timeout | undefined;
let idleLooks = 0;

/**
 * Says once, on stderr, that nothing but open clusters keeps this process running, and where they were started: without it a test
 * that forgot to end one passes, and its runner hangs. Call what it returns when the cluster ends.
 */
export function expectEnd(server: OpenServer): () => void {
  open.add(server);
  idleLooks = 0;
  looking ??= setInterval(look, lookPeriodMs).unref();
  return () => {
    open.delete(server);
    if (open.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  };
}

function look(): void {
  idleLooks = keepsAnythingElse() ? 0 : idleLooks + 1;
  if (idleLooks < looksBeforeWarning) return;
  for (const { urls, startedAt } of open)
    process.stderr.write(
      `rxetcd/testing: nothing but an embedded etcd keeps this process running: ${urls.join(' ')}, started at ` +
        `${startedAt}. End it by stop$(), or start it by "await using".\n`,
    );
  clearInterval(looking);
  looking = undefined;
}

/** Whether something keeps the process running besides the open clusters and their connections. */
function keepsAnythingElse(): boolean {
  let [servers, sockets] = [0, 0];
  for (const { handles } of open) {
    servers += handles.servers;
    sockets += handles.sockets;
  }
  const held = process.getActiveResourcesInfo().filter((kind) => !surroundings.includes(kind));
  const count = (kind: string): number => held.filter((one) => one === kind).length;
  // Of a connection within this process both ends are counted.
  const foreign = count('TCPServerWrap') > servers || count('TCPSocketWrap') > 2 * sockets;
  return foreign || count('TCPServerWrap') + count('TCPSocketWrap') < held.length;
}

/** Where the function was called that is running now: file, line and column. */
export function callerOf({ start$ }: { start$: (...args: never[]) => unknown }): string {
  const caller: { stack?: string } = {};
  Error.captureStackTrace(caller, start$);
  const frame = caller.stack?.split('\n').find((line) => /^\s+at /.test(line)) ?? '';
  return /^\s+at (?:.*\()?(.*?)\)?$/.exec(frame)?.[1] ?? 'an unknown place';
}
