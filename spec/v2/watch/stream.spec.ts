import { map, mergeAll, of } from 'rxjs';
import { Fault } from '../../../lib/cluster/fault.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { stream$, type StreamPart } from '../../../lib/v2/watch/stream.js';
import { FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
const run = (waitIndex?: number, recursive = true) => {
  const { seen, subscription } = watchOver(stream$(member.site({ recursive }), waitIndex).pipe(mergeAll()));
  return { seen, subscription, request: member.requests.at(-1)! };
};
/** `registered`, or the index and value of an event. */
const told = (parts: readonly StreamPart[]) =>
  parts.map((part) =>
    part.type === 'event' ? [part.body.node?.modifiedIndex, part.body.node?.value] : part.type,
  );
const line = (index: number, value: string) =>
  `${JSON.stringify({ action: 'set', node: { key: '/a', value, modifiedIndex: index } })}\n`;

beforeEach(() => (member = new FakeMember()));

describe('the request', () => {
  test.each<[number | undefined, boolean, string]>([
    [undefined, true, 'wait=true&stream=true&recursive=true'],
    [500, true, 'wait=true&stream=true&recursive=true&waitIndex=500'],
    [undefined, false, 'wait=true&stream=true&recursive=false'],
  ])('from %p, recursive %p: %s', (waitIndex, recursive, query) => {
    const { request } = run(waitIndex, recursive);
    expect(request.path.replace('&recursive=false', '')).toBe(
      `/v2/keys/a?${query}`.replace('&recursive=false', ''),
    );
  });

  test('is sent for each subscription, and ends with it', () => {
    const first = run();
    const second = run();
    first.subscription.unsubscribe();
    expect([first.request.gone, second.request.gone]).toEqual([true, false]);
  });

  test('its headers tell that it stands, and the client learns from them', () => {
    const { seen, request } = run();
    request.head(41, 'ours');
    expect(seen.items).toEqual([
      { type: 'registered', info: { etcdIndex: 41, clusterId: 'ours', endpoint: here, status: 200 } },
    ]);
    expect(member.watermark.value).toBe(41);
  });
});

describe('lines', () => {
  // Newlines inside a value are escaped; a value may look like anything.
  const values = ['one', 'a\nb', '}\u2028{"action":"set"}', 'grüße 🎈', ''];
  const text = values.map((value, i) => line(i + 42, value)).join('');
  const whole = values.map((value, i) => [i + 42, value]);

  test('are read wherever a piece ends', () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const { seen, request } = run();
      request.head(41);
      for (const piece of [text.slice(0, cut), text.slice(cut)]) if (piece !== '') request.text(piece);
      expect(told(seen.items)).toEqual(['registered', ...whole]);
    }
  });

  test('are read character by character, each as soon as it is whole', () => {
    const { seen, request } = run();
    request.head(41);
    let lines = 0;
    for (const character of text) {
      request.text(character);
      if (character === '\n') lines += 1;
      expect(seen.items).toHaveLength(1 + lines);
    }
    expect(told(seen.items)).toEqual(['registered', ...whole]);
  });

  test('empty ones are none', () => {
    const { seen, request } = run();
    request.head(41).text(`\n${line(42, 'x')}\n\n${line(43, 'y')}`);
    expect(told(seen.items)).toEqual(['registered', [42, 'x'], [43, 'y']]);
  });

  test('one that is no event is an error, behind the events before it', () => {
    const { seen, request } = run();
    request.head(41).text(line(42, 'x')).text('<html>\n');
    expect(told(seen.items)).toEqual(['registered', [42, 'x']]);
    expect(seen.error).toBeInstanceOf(Fault);
    expect(request.gone).toBe(true);
  });
});

describe('what is no stream', () => {
  test.each<[string, number, string]>([
    ['history is gone', 400, '{"errorCode":401,"message":"outdated","cause":"","index":2000}'],
    ['no right', 401, '{"message":"Insufficient credentials"}'],
    ['no v2 API', 404, '404 page not found\n'],
    ['a proxy without backend', 502, '<html>\n</html>\n'],
    ['a redirect', 307, ''],
  ])('%s: an error with the whole answer, once it is there', (_, status, body) => {
    const { seen, request } = run();
    request.head(7, undefined, status).text(body.slice(0, 9)).text(body.slice(9));
    expect([seen.items, seen.error]).toEqual([[], undefined]);
    request.end();
    expect(seen.items).toEqual([]);
    expect(seen.error).toBeInstanceOf(Fault);
    expect((seen.error as Fault).config.status).toBe(status);
  });

  test('an answer that was created, and not waited for, is none either', () => {
    const { seen, request } = run();
    request.head(7, undefined, 201).answer(line(8, 'x'));
    expect([seen.items, seen.error]).toEqual([[], expect.any(MemberLeft)]);
  });
});

describe('a line that does not end', () => {
  const all = line(42, 'x');
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('is an error once nothing has come of it for the time of one try', () => {
    const { seen, request } = run();
    request.head(41).text(all.slice(0, 10));
    jest.advanceTimersByTime(9_999);
    request.text(all.slice(10, 20));
    jest.advanceTimersByTime(9_999);
    expect(seen.error).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(seen.error).toEqual(new MemberLeft('its answer stopped in the middle'));
    expect(request.gone).toBe(true);
  });

  test('between two lines a stream is waited for', () => {
    const { seen, request } = run();
    request.head(41).text(all.slice(0, 10)).text(all.slice(10));
    jest.advanceTimersByTime(3_600_000);
    expect([seen.error, jest.getTimerCount()]).toEqual([undefined, 0]);
  });

  test('nothing is left of it when it is no longer wanted', () => {
    const { subscription, request } = run();
    request.head(41).text(all.slice(0, 10));
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('its end', () => {
  test.each<[string, string]>([
    ['after whole lines', line(42, 'x')],
    ['in the midst of a line', line(42, 'x') + line(43, 'y').slice(0, 20)],
    ['before any', ''],
  ])('%s is the end of this member, and half a line is no event', (_, text) => {
    const { seen, request } = run();
    request.head(41).text(text).end();
    expect(seen.error).toEqual(new MemberLeft('its stream ended'));
    expect(seen.items).toHaveLength(text === '' ? 1 : 2);
  });

  test('a reset is told as it is', () => {
    const { seen, request } = run();
    const reset = new TransportError('reset', 'x', true);
    request.head(41).fail(reset);
    expect(seen.error).toBe(reset);
  });

  test('it never completes by itself', () => {
    member = new FakeMember({
      transport: {
        parts$: (_: unknown, read: (part: object) => unknown) => of({ type: 'end' }).pipe(map(read)),
      } as never,
    });
    const { seen } = watchOver(stream$(member.site()));
    expect([seen.done, seen.error]).toEqual([false, expect.any(Error)]);
  });
});
