import { catchError, defer, map, of, tap, throwError, timer, type Observable } from 'rxjs';
import { AllNodesDownError, EtcdApiError, RequestTimeoutError, StaleReadError } from '../../../lib/errors.js';
import { resolveOptions, type CallSettings } from '../../../lib/options.js';
import { Fault } from '../../../lib/cluster/fault.js';
import { freshRead$ } from '../../../lib/v2/api/fresh-read.js';
import type { KeyResponse } from '../../../lib/v2/model/model.js';
import { Watermark } from '../../../lib/v2/watermark.js';

/** What one read comes back with: a value at an index, a 404 at an index, or an error. */
type Answer = number | undefined | 'headers alone' | { notFoundAt: number } | Error;

const down = new AllNodesDownError('get /a', 'no-quorum', { endpoint: 'http://dead' });
const timedOut = new RequestTimeoutError('get /a', 5);
const apiError = (index: number) =>
  new EtcdApiError('get /a', { errorCode: 100, message: 'Key not found', reason: '/a', index, status: 404 });

const refusal = (errorCode: number) =>
  new EtcdApiError('get /a', { errorCode, message: 'no', reason: '', index: 0, status: 400 });

let watermark: Watermark;
let asked: string[];
let limits: CallSettings[];
beforeEach(() => {
  watermark = new Watermark();
  watermark.saw({ etcdIndex: 100 });
  asked = [];
  limits = [];
});

const headersOf = (answer: number | undefined | 'headers alone') =>
  answer === undefined ? {} : answer === 'headers alone' ? { clusterId: 'c1' } : { etcdIndex: answer };
const settings = resolveOptions({ deadline: 1_000 });
function read(answers: Answer[], quorum = false, delay?: number): Observable<KeyResponse> {
  return freshRead$(watermark, 'get /a', settings, quorum, (operation, given, leader, check) =>
    defer(() => {
      asked.push(operation === 'quorumGet' ? 'quorum' : leader ? 'leader' : 'any');
      limits.push(given);
      const answer = answers[asked.length - 1];
      if (answer instanceof Error) return throwError(() => answer);
      if (typeof answer === 'object') return throwError(() => apiError(answer.notFoundAt));
      const response: KeyResponse = {
        action: 'get',
        node: { key: '/a', value: `answer ${asked.length}` },
        info: { endpoint: 'http://a', status: 200, ...headersOf(answer) },
      };
      const told$ = delay === undefined ? of(response) : timer(delay).pipe(map(() => response));
      return told$.pipe(
        tap(({ info }) => {
          check(info);
        }),
        catchError((fault: unknown) =>
          throwError(() => (fault as Fault).config.toError({ endpoint: 'http://a', attempts: [] })),
        ),
      );
    }),
  );
}

function outcomeOf(read$: Observable<KeyResponse>): unknown {
  let outcome: unknown = 'nothing';
  read$.subscribe({
    next: ({ node }) => (outcome = node.value),
    error: (error: unknown) => (outcome = error),
  });
  return outcome;
}

describe('freshRead$', () => {
  test.each<[string, Answer[], string[], string]>([
    ['a fresh answer is taken', [100], ['any'], 'answer 1'],
    ['and one from beyond', [101], ['any'], 'answer 1'],
    ['one without an index, as in a browser', [undefined], ['any'], 'answer 1'],
    // As a member tells while it replays its log.
    ['index 0 is stale once more was seen', [0, 100], ['any', 'leader'], 'answer 2'],
    ['and on', [0, 0, 100], ['any', 'leader', 'quorum'], 'answer 3'],
    ['"not found" at index 0 as well', [{ notFoundAt: 0 }, 100], ['any', 'leader'], 'answer 2'],
    ["one without an index among etcd's own headers", ['headers alone', 100], ['any', 'leader'], 'answer 2'],
    ['a stale one is asked again, of the leader', [99, 100], ['any', 'leader'], 'answer 2'],
    ['of the leader once, then with quorum', [99, 98, 100], ['any', 'leader', 'quorum'], 'answer 3'],
    ['any index from the leader does', [1, undefined], ['any', 'leader'], 'answer 2'],
    ['a stale "not found" is asked again too', [{ notFoundAt: 99 }, 100], ['any', 'leader'], 'answer 2'],
    ['twice', [{ notFoundAt: 99 }, { notFoundAt: 1 }, 100], ['any', 'leader', 'quorum'], 'answer 3'],
  ])('%s', (_, answers, ways, value) => {
    expect(outcomeOf(read(answers))).toBe(value);
    expect(asked).toEqual(ways);
    expect(watermark.value).toBe(100);
  });

  test.each<[string, Answer[], string[]]>([
    ['a fresh "not found"', [{ notFoundAt: 100 }], ['any']],
    ['a refusal that was made without a look at the store', [refusal(110)], ['any']],
    ['another', [refusal(209)], ['any']],
    ['after a stale answer', [99, { notFoundAt: 120 }], ['any', 'leader']],
  ])('%s is the result', (_, answers, ways) => {
    expect(outcomeOf(read(answers))).toBeInstanceOf(EtcdApiError);
    expect(asked).toEqual(ways);
  });

  test.each<[string, Answer[], boolean, string[]]>([
    ['stale everywhere', [99, 98, 97], false, ['any', 'leader', 'quorum']],
    [
      '"not found" and stale everywhere',
      [{ notFoundAt: 9 }, { notFoundAt: 8 }, { notFoundAt: 97 }],
      false,
      ['any', 'leader', 'quorum'],
    ],
    ['a stale quorum read', [97], true, ['quorum']],
  ])(
    '%s: StaleReadError, and the cluster is taken for a rebuilt one from then on',
    (_, answers, quorum, ways) => {
      const error = outcomeOf(read(answers, quorum));
      expect(error).toBeInstanceOf(StaleReadError);
      expect(error).toMatchObject({ index: 97, seen: 100 });
      expect(asked).toEqual(ways);
      expect(watermark.value).toBe(97);
      asked = [];
      expect(outcomeOf(read([97]))).toBe('answer 1');
    },
  );

  test('index 0 everywhere: StaleReadError, and what was seen before still counts', () => {
    const error = outcomeOf(read([0, { notFoundAt: 0 }, 0]));
    expect(error).toBeInstanceOf(StaleReadError);
    expect(error).toMatchObject({ index: 0, seen: 100 });
    expect(watermark.value).toBe(100);
  });

  test('a client that has seen nothing takes index 0', () => {
    watermark = new Watermark();
    expect(outcomeOf(read([0]))).toBe('answer 1');
  });

  test('what counts is what had been seen when the read was subscribed', () => {
    const read$ = read([150, 150, 150]);
    watermark.saw({ etcdIndex: 150 });
    expect(outcomeOf(read$)).toBe('answer 1');
    asked = [];
    watermark.saw({ etcdIndex: 200 });
    expect(outcomeOf(read$)).toBeInstanceOf(StaleReadError);
  });

  test('what is seen while it is under way does not count', () => {
    jest.useFakeTimers();
    try {
      const values: unknown[] = [];
      read([100], false, 50).subscribe(({ node }) => values.push(node.value));
      jest.advanceTimersByTime(20);
      watermark.saw({ etcdIndex: 500 });
      jest.advanceTimersByTime(30);
      expect([values, asked]).toEqual([['answer 1'], ['any']]);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each<[string, Answer[], boolean]>([
    ['of the first read', [timedOut], false],
    ['that no member can be reached, of the first read', [down], false],
    ['of a quorum read', [down], true],
    ['other than that later on', [99, timedOut], false],
  ])('an error %s goes through as it is', (_, answers, quorum) => {
    expect(outcomeOf(read(answers, quorum))).toBe(answers.at(-1));
    expect(watermark.value).toBe(100);
  });

  test.each<[string, Answer[]]>([
    ['leader', [99, down]],
    ['quorum', [90, 99, down]],
  ])(
    'stale, and the %s cannot be had: StaleReadError with the tries, and nothing is forgotten',
    (_, answers) => {
      const error = outcomeOf(read(answers));
      expect(error).toBeInstanceOf(StaleReadError);
      expect(error).toMatchObject({ index: 99, seen: 100, endpoint: 'http://dead' });
      expect(watermark.value).toBe(100);
    },
  );

  test('all its reads share one deadline', () => {
    jest.useFakeTimers();
    try {
      read([99, 98, 100], false, 300).subscribe();
      jest.advanceTimersByTime(1_000);
      expect(asked).toEqual(['any', 'leader', 'quorum']);
      expect(limits.map((l) => l.deadline)).toEqual([1_000, 700, 400]);
      expect(limits.map((l) => l.timeout)).toEqual([10_000, 10_000, 10_000]);
    } finally {
      jest.useRealTimers();
    }
  });

  test('is cold: nothing is read before it is subscribed, and each subscription reads', () => {
    const read$ = read([100, 100]);
    expect(asked).toEqual([]);
    read$.subscribe();
    read$.subscribe();
    expect(asked).toEqual(['any', 'any']);
  });
});
