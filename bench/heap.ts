/** The heap in use after garbage was collected, bytes. The process runs with `--expose-gc`. */
export function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
