import fc from 'fast-check';
import { linearizable, type RegisterAction, type RegisterCall } from './linearizability.js';
import { runSeed } from '../values/random.js';

type Outcome = RegisterCall['outcome'];
const at = (start: number, end: number, action: RegisterAction, outcome: Outcome = 'ok'): RegisterCall => ({
  action,
  start,
  end,
  outcome,
});
const read = (value?: string): RegisterAction => ({ type: 'read', value });
const write = (value?: string): RegisterAction => ({ type: 'write', value });
const cas = (expected: string | undefined, value: string | undefined): RegisterAction => ({
  type: 'cas',
  expected,
  value,
});

describe('histories of a register', () => {
  test.each<[string, RegisterCall[]]>([
    ['nothing at all', []],
    ['one after the other', [at(1, 2, write('a')), at(3, 4, cas('a', 'b')), at(5, 6, read('b'))]],
    ['a read beside a write, of the old', [at(1, 2, write('a')), at(3, 6, write('b')), at(4, 5, read('a'))]],
    ['a read beside a write, of the new', [at(1, 2, write('a')), at(3, 6, write('b')), at(4, 5, read('b'))]],
    [
      'an unknown write that came late',
      [at(1, 2, write('a'), 'unknown'), at(3, 4, write('b')), at(5, 6, read('b')), at(7, 8, read('a'))],
    ],
    [
      'an unknown write that never came',
      [at(1, 2, write('a'), 'unknown'), at(3, 4, write('b')), at(5, 6, read('b'))],
    ],
    [
      'a CAS that failed rightly',
      [at(1, 2, write('a')), at(3, 4, cas('b', 'c'), 'mismatch'), at(5, 6, read('a'))],
    ],
    [
      'a CAS that failed by an unknown write',
      [at(1, 2, write('a'), 'unknown'), at(3, 4, cas(undefined, 'c'), 'mismatch')],
    ],
    [
      'an unknown CAS upon an unknown write',
      [at(1, 2, write('a'), 'unknown'), at(3, 4, cas('a', 'b'), 'unknown'), at(5, 6, read('b'))],
    ],
    [
      'a create and a conditional delete',
      [at(1, 2, cas(undefined, 'a')), at(3, 4, cas('a', undefined)), at(5, 6, read())],
    ],
    ['a failed write that nobody sees', [at(1, 2, write('a'), 'failed'), at(3, 4, read())]],
  ])('good: %s', (_, history) => {
    expect(linearizable(history)).toEqual([]);
  });

  test.each<[string, RegisterCall[]]>([
    ['a stale read', [at(1, 2, write('a')), at(3, 4, write('b')), at(5, 6, read('a'))]],
    [
      'a read that goes back',
      [at(1, 2, write('a')), at(3, 9, write('b')), at(4, 5, read('b')), at(6, 7, read('a'))],
    ],
    ['a lost update', [at(1, 2, write('a')), at(3, 6, cas('a', 'b')), at(4, 5, cas('a', 'c'))]],
    [
      'a CAS applied twice',
      [at(1, 2, cas(undefined, 'held')), at(3, 4, cas('held', undefined)), at(5, 6, read('held'))],
    ],
    [
      'an unknown CAS applied twice',
      [
        at(1, 2, cas(undefined, 'held'), 'unknown'),
        at(3, 4, read('held')),
        at(5, 6, cas('held', undefined)),
        at(7, 8, read('held')),
      ],
    ],
    [
      'an unknown write applied twice',
      [at(1, 2, write('a'), 'unknown'), at(3, 4, read('a')), at(5, 6, write('b')), at(7, 8, read('a'))],
    ],
    ['a CAS that failed falsely', [at(1, 2, write('a')), at(3, 4, cas('a', 'b'), 'mismatch')]],
    [
      'a CAS that failed, and was applied',
      [at(1, 2, write('a')), at(3, 4, cas('a', 'b'), 'mismatch'), at(5, 6, read('b'))],
    ],
    ['a failed write that was applied', [at(1, 2, write('a'), 'failed'), at(3, 4, read('a'))]],
    ['an acknowledged write that is lost', [at(1, 2, write('a')), at(3, 4, read())]],
    ['an unknown write seen before it began', [at(1, 2, read('a')), at(3, 4, write('a'), 'unknown')]],
  ])('bad: %s', (_, history) => {
    expect(linearizable(history)).toEqual([expect.stringContaining('not linearizable')]);
  });

  test('the finding says where it got stuck', () => {
    const history = [at(1, 2, write('a')), at(3, 4, write('b')), at(5, 6, read('a'))];
    expect(linearizable(history)).toEqual([
      'not linearizable after 2 of 3: with b stored none can be next of: read a ok [5, 6]',
    ]);
  });

  const values = fc.constantFrom('a', 'b', undefined);
  const actions: fc.Arbitrary<RegisterAction> = fc.oneof(
    values.map(read),
    values.map(write),
    fc.tuple(values, values).map(([expected, value]) => cas(expected, value)),
  );

  test('as all orders tried one by one say', () => {
    const call = fc
      .record({
        action: actions,
        start: fc.nat(8),
        length: fc.nat(6),
        outcome: fc.constantFrom<Outcome>('ok', 'ok', 'ok', 'mismatch', 'failed', 'unknown'),
      })
      .filter(({ action, outcome }) => outcome !== 'mismatch' || action.type === 'cas')
      .map(({ action, start, length, outcome }) => at(start, start + length, action, outcome));
    const verdicts = { good: 0, bad: 0 };
    fc.assert(
      fc.property(fc.array(call, { maxLength: 6 }), (history) => {
        const isGood = hasOrder(history);
        verdicts[isGood ? 'good' : 'bad'] += 1;
        expect(linearizable(history).length === 0).toBe(isGood);
      }),
      { seed: runSeed, numRuns: 2_000 },
    );
    expect(verdicts.good).toBeGreaterThan(100);
    expect(verdicts.bad).toBeGreaterThan(100);
  });

  /** A register that works, and calls that overlap around the moments at which they take effect. */
  const honest = (maxLength: number) =>
    fc
      .array(
        fc.record({
          action: actions,
          lead: fc.nat(40),
          tail: fc.nat(40),
          fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'lost', 'lost answer'),
        }),
        { minLength: 20, maxLength },
      )
      .map((plans) => {
        let stored: string | undefined;
        return plans.map(({ action, lead, tail, fate }, i): RegisterCall => {
          const [start, end] = [i * 10 - lead, i * 10 + tail];
          if (action.type === 'read')
            return at(start, end, read(stored), fate === 'answered' ? 'ok' : 'failed');
          if (fate === 'lost') return at(start, end, action, 'unknown');
          const isHit = action.type === 'write' || action.expected === stored;
          if (isHit) stored = action.value;
          if (fate === 'lost answer') return at(start, start, action, 'unknown');
          return at(start, end, action, isHit ? 'ok' : 'mismatch');
        });
      });

  test('long ones of a register that works are good', () => {
    fc.assert(
      fc.property(honest(150), (history) => {
        expect(linearizable(history)).toEqual([]);
      }),
      { seed: runSeed, numRuns: 100 },
    );
  });

  test('long ones with one read that nobody can explain are bad', () => {
    fc.assert(
      fc.property(honest(40), fc.nat(), (history, place) => {
        const start = 10 * (place % history.length);
        expect(linearizable([...history, at(start, start + 5, read('z'))])).toHaveLength(1);
      }),
      { seed: runSeed, numRuns: 100 },
    );
  });
});

/** The definition itself: some order of the answered calls and of some of the others explains everything. */
function hasOrder(history: readonly RegisterCall[], stored?: string): boolean {
  const left = history.filter(
    ({ outcome, action }) => outcome !== 'failed' && (action.type !== 'read' || outcome === 'ok'),
  );
  if (left.every(({ outcome }) => outcome === 'unknown')) return true;
  return left.some((call) => {
    const others = left.filter((other) => other !== call);
    if (others.some(({ end, outcome }) => outcome !== 'unknown' && end < call.start)) return false;
    const { action, outcome } = call;
    if (action.type === 'write') return hasOrder(others, action.value);
    if (action.type === 'read') return action.value === stored && hasOrder(others, stored);
    const isHit = action.expected === stored;
    if (outcome === 'mismatch') return !isHit && hasOrder(others, stored);
    return isHit && hasOrder(others, action.value);
  });
}
