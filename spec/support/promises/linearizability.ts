/** What one call did to a register that holds a value, or nothing (`undefined`). */
export type RegisterAction =
  /** `value`: what it returned. */
  | { readonly type: 'read'; readonly value: string | undefined }
  | { readonly type: 'write'; readonly value: string | undefined }
  /** A create expects nothing, a conditional delete stores nothing. */
  | { readonly type: 'cas'; readonly expected: string | undefined; readonly value: string | undefined };

/** One call as its caller has seen it. */
export interface RegisterCall {
  readonly action: RegisterAction;
  /** When it was made and when it ended, on one clock. */
  readonly start: number;
  readonly end: number;
  /**
   * `mismatch`: a CAS that was told that the register holds something else. `failed`: surely without effect. `unknown`:
   * takes effect at any time from its start on, however late, or never.
   */
  readonly outcome: 'ok' | 'mismatch' | 'failed' | 'unknown';
}

/** The value after the call, or `undefined` if it cannot have happened with this one. */
function applied(
  { action, outcome }: RegisterCall,
  value: string | undefined,
): { value?: string } | undefined {
  const then = (next: string | undefined) => (next === undefined ? {} : { value: next });
  if (action.type === 'write') return then(action.value);
  if (action.type === 'read') return action.value === value ? then(value) : undefined;
  if (outcome === 'mismatch') return action.expected === value ? undefined : then(value);
  return action.expected === value ? then(action.value) : undefined;
}

/**
 * Linearizable: there is one order of all calls that gives every answer and in which none comes before another that had
 * ended when it began. The search of Wing and Gong: any call that may be next is tried, and no situation twice.
 *
 * @param initial what the register held before
 */
export function linearizable(history: readonly RegisterCall[], initial?: string): string[] {
  const calls = history
    .filter(({ outcome, action }) => outcome !== 'failed' && (action.type !== 'read' || outcome === 'ok'))
    .map((call) => (call.outcome === 'unknown' ? { ...call, end: Infinity } : call))
    // What ended first is tried first, what may never have happened last.
    .sort((a, b) => a.end - b.end);
  const answered = calls.filter(({ end }) => end !== Infinity).length;
  const isDone = calls.map(() => false);
  const tried = new Set<string>();
  let deepest = { done: -1, text: '' };

  /** @param before the value before a call of unknown outcome, if that was the last one */
  const search = (
    value: string | undefined,
    done: number,
    mask: bigint,
    before?: { value?: string },
  ): boolean => {
    if (done === answered) return true;
    const situation = `${mask.toString(36)} ${String(value)} ${before === undefined ? '' : `after ${before.value}`}`;
    if (tried.has(situation)) return false;
    tried.add(situation);
    const soonest = calls.find((_, i) => isDone[i] !== true)!.end;
    const next = calls.flatMap((call, i) => (isDone[i] !== true && call.start <= soonest ? [i] : []));
    if (done > deepest.done) {
      const answers = next.flatMap((i) => (calls[i]!.end === Infinity ? [] : [lineOf(calls[i]!)]));
      deepest = {
        done,
        text: `with ${value ?? 'nothing'} stored none can be next of: ${answers.join('; ')}`,
      };
    }
    for (const i of next) {
      const call = calls[i]!;
      const after = applied(call, value);
      if (after === undefined) continue;
      // A call that may never have happened is needed by the one behind it, or might as well come later.
      if (before !== undefined && applied(call, before.value) !== undefined) continue;
      const isUnknown = call.end === Infinity;
      isDone[i] = true;
      const found = search(
        after.value,
        done + (isUnknown ? 0 : 1),
        mask | (1n << BigInt(i)),
        isUnknown ? (value === undefined ? {} : { value }) : undefined,
      );
      isDone[i] = false;
      if (found) return true;
    }
    return false;
  };
  return search(initial, 0, 0n)
    ? []
    : [`not linearizable after ${deepest.done} of ${answered}: ${deepest.text}`];
}

function lineOf({ action, outcome, start, end }: RegisterCall): string {
  const what =
    action.type === 'cas'
      ? `cas ${action.expected ?? 'nothing'} -> ${action.value ?? 'nothing'}`
      : `${action.type} ${action.value ?? 'nothing'}`;
  return `${what} ${outcome} [${start}, ${end}]`;
}
