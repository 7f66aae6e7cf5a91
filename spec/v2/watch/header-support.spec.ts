import { defer, Subject, take } from 'rxjs';
import { browserAbilities, nodeAbilities, type Abilities } from '../../../lib/transport/abilities.js';
import { HeaderSupport } from '../../../lib/v2/watch/header-support.js';

const here = 'http://a';
const answers = (support: HeaderSupport) => ({
  start: support.tellStart(here),
  precede: support.precedeEvents(here),
  atOnce: support.areDueAtOnce(here),
});

test.each<[string, Abilities, string | undefined, ReturnType<typeof answers>]>([
  ['Node', nodeAbilities, '3.4.23', { start: true, precede: true, atOnce: true }],
  ['Node, release unknown', nodeAbilities, undefined, { start: true, precede: true, atOnce: true }],
  ['Node, 0.4', nodeAbilities, '0.4.9', { start: false, precede: false, atOnce: true }],
  [
    'Node, 0.2, whose polls show none',
    nodeAbilities,
    '0.2.0',
    { start: false, precede: false, atOnce: false },
  ],
  ['a browser', browserAbilities, '3.4.23', { start: true, precede: false, atOnce: false }],
])('%s', (_, abilities, version, expected) => {
  expect(answers(new HeaderSupport(abilities, () => version))).toEqual(expected);
});

test('an endpoint that hides them tells no start, until it is none any more', () => {
  const support = new HeaderSupport(nodeAbilities, () => '3.4.23');
  support.hides(here);
  expect([support.areHidden(here), support.tellStart(here)]).toEqual([true, false]);
  expect([support.areHidden('http://b'), support.tellStart('http://b')]).toEqual([false, true]);
  // They come, though nothing can be read of them.
  expect([support.precedeEvents(here), support.areDueAtOnce(here)]).toEqual([true, true]);
  support.forget(here);
  expect([support.areHidden(here), support.tellStart(here)]).toEqual([false, true]);
});

test('in a browser those are due at once where they came at once, until a poll fails', () => {
  const support = new HeaderSupport(browserAbilities, () => '3.4.23');
  support.cameAtOnce(here);
  expect([support.areDueAtOnce(here), support.areDueAtOnce('http://b')]).toEqual([true, false]);
  support.mayComeLate(here);
  expect(support.areDueAtOnce(here)).toBe(false);
});

describe('where pieces come late', () => {
  let support: HeaderSupport;
  const late = () => ({
    ...answers(support),
    streams: support.letStreams(here),
    trial: support.tryStreams(here),
  });
  const inTime = { start: true, precede: true, atOnce: true, streams: true, trial: false };
  const polled = { start: true, precede: false, atOnce: false, streams: false, trial: true };
  const onTrial = { ...polled, streams: true };

  beforeEach(() => {
    jest.useFakeTimers();
    support = new HeaderSupport(nodeAbilities, () => '3.4.23');
  });
  afterEach(() => jest.useRealTimers());

  test('headers that are held back: it is polled for a minute, then a stream is on trial', () => {
    support.areHeldBack(here);
    expect(late()).toEqual(polled);
    expect(support.letStreams('http://b')).toBe(true);
    jest.advanceTimersByTime(59_999);
    expect(late()).toEqual(polled);
    jest.advanceTimersByTime(1);
    expect(late()).toEqual(onTrial);
  });

  test('a trial that is passed ends it, one that is failed begins it anew', () => {
    support.areHeldBack(here);
    jest.advanceTimersByTime(60_000);
    support.eventsComeLate(here);
    expect(late()).toEqual(polled);
    jest.advanceTimersByTime(60_000);
    support.eventsComeInTime(here);
    expect(late()).toEqual(inTime);
  });

  test('an event that came late once puts the next stream on trial', () => {
    support.eventsComeLate(here);
    expect(late()).toEqual(onTrial);
    support.eventsComeLate(here);
    expect(late()).toEqual(polled);
    support.forget(here);
    expect(late()).toEqual(inTime);
  });

  test('a platform without streams has none there either', () => {
    support = new HeaderSupport(browserAbilities, () => '3.4.23');
    expect(support.letStreams(here)).toBe(false);
  });
});

test('what all ask at the same time is asked once, and anew behind its answer', () => {
  const support = new HeaderSupport(nodeAbilities, () => '3.4.23');
  const answer$ = new Subject<string>();
  let asked = 0;
  const asked$ = defer(() => {
    asked += 1;
    return answer$.pipe(take(1));
  });
  const told: unknown[] = [];
  for (const endpoint of [here, here, 'http://b'])
    support.once$(endpoint, asked$).subscribe((answer) => told.push([endpoint, answer]));
  expect(asked).toBe(2);
  answer$.next('there');
  expect(told).toEqual([
    [here, 'there'],
    [here, 'there'],
    ['http://b', 'there'],
  ]);
  support.once$(here, asked$).subscribe();
  expect(asked).toBe(3);
  answer$.complete();
});
