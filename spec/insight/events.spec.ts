import { EventBus, type BodyText, type ClientEvent } from '../../lib/insight/events.js';

const event = { type: 'retry', operation: 'get', endpoint: 'http://a', reason: 'reset', attempt: 1 } as const;

describe('EventBus', () => {
  test('an event that nobody observes is not even built', () => {
    const build = jest.fn(() => event);
    const bus = new EventBus();
    bus.emit(build);
    bus.events$.subscribe().unsubscribe();
    bus.emit(build);
    expect(build).not.toHaveBeenCalled();
  });

  test('is hot: everyone sees what happens from now on, built once, with its time', () => {
    const bus = new EventBus();
    const [early, late]: ClientEvent[][] = [[], []];
    bus.events$.subscribe((e) => early?.push(e));
    bus.emit(() => event);
    bus.events$.subscribe((e) => late?.push(e));
    const build = jest.fn(() => ({ ...event, attempt: 2 }));
    bus.emit(build);
    expect(early?.map((e) => e.type === 'retry' && e.attempt)).toEqual([1, 2]);
    expect(late?.map((e) => e.type === 'retry' && e.attempt)).toEqual([2]);
    expect(late?.[0]?.at).toBeInstanceOf(Date);
    expect(build).toHaveBeenCalledTimes(1);
  });

  test('close completes, for those who come later too, and nothing is built any more', () => {
    const bus = new EventBus();
    const ends: string[] = [];
    bus.events$.subscribe({ complete: () => ends.push('early') });
    bus.close();
    bus.close();
    bus.events$.subscribe({ complete: () => ends.push('late') });
    const build = jest.fn(() => event);
    bus.emit(build);
    expect(ends).toEqual(['early', 'late']);
    expect(build).not.toHaveBeenCalled();
  });

  test('nobody outside can emit', () => {
    const { events$, bodies$ } = new EventBus();
    expect(['next' in events$, 'next' in bodies$]).toEqual([false, false]);
  });
});

describe('bodies', () => {
  const sent = {
    operation: 'set',
    endpoint: 'http://a',
    method: 'PUT',
    path: '/v2/keys/a',
    direction: 'sent',
    body: 'value=1',
  } as const;
  const seenOf = (...bodies: Partial<BodyText>[]): BodyText[] => {
    const bus = new EventBus();
    const seen: BodyText[] = [];
    bus.bodies$.subscribe((body) => seen.push(body));
    for (const body of bodies) bus.emitBody(() => ({ ...sent, ...body }));
    return seen;
  };

  test('that nobody observes are not even built; whoever observes events alone sees none', () => {
    const build = jest.fn(() => sent);
    const bus = new EventBus();
    const seen: ClientEvent[] = [];
    bus.events$.subscribe((e) => seen.push(e));
    bus.bodies$.subscribe().unsubscribe();
    bus.emitBody(build);
    expect([build.mock.calls.length, seen]).toEqual([0, []]);
  });

  test('are as they came, with their time; empty ones are none', () => {
    const received = { direction: 'received', status: 201, body: '{"action":"set"}\n' } as const;
    const seen = seenOf({}, received, { body: '' });
    const at: unknown = expect.any(Date);
    expect(seen).toEqual([
      { ...sent, at },
      { ...sent, ...received, at },
    ]);
  });

  test('end with the client', () => {
    const bus = new EventBus();
    const ends: string[] = [];
    bus.bodies$.subscribe({ complete: () => ends.push('early') });
    bus.close();
    bus.bodies$.subscribe({ complete: () => ends.push('late') });
    const build = jest.fn(() => sent);
    bus.emitBody(build);
    expect([ends, build.mock.calls.length]).toEqual([['early', 'late'], 0]);
  });

  test.each([
    '/v2/auth/users/x',
    '/v2/auth/enable',
    '/v2/auth',
    '/v2/AUTH/users/x',
    '/v2//auth/users/x',
    '//v2/auth/users/x',
    '/v2/./auth/users/x',
    '/v2/%61uth/users/x',
    '/v2/%41%55%54%48/users/x',
    '/v2%2fauth/users/x',
    '/v2/auth%2Fusers%2Fx',
    '/v2/keys/../auth/users/x',
    '/v2/keys/%2e%2e/auth/users/x',
    '/v2/keys/%2E./auth/users/x',
    '/v2/keys/a/../../auth/users/x',
    '/v2/keys/..%2fauth/users/x',
    '/v2/keys/..%2Fauth%2Fusers%2Fx',
    '/v2/keys%2f..%2fauth/users/x',
    '/v2/keys%2f../auth/users/x',
    // As a URL is read, this is a slash.
    '/v2/keys/..\\auth/users/x',
    '/v2/keys\\..\\auth/users/x',
    '/keys/auth/users/x',
    '/v3/auth/user/add',
  ])('of %s are never shown', (path) => {
    const received = { direction: 'received', status: 200 } as const;
    expect(seenOf({ path, operation: 'raw' }, { ...received, path, operation: 'raw' })).toEqual([]);
  });

  test.each(['auth.createUser', 'auth.look', 'auth.status'])('of %s are never shown', (operation) => {
    expect(seenOf({ operation, path: '/v2/keys/a' })).toEqual([]);
  });

  test.each([
    '/v2/keys/auth',
    '/v2/keys/app/auth/token',
    '/v2//keys/auth',
    '/v2/keys/a..b/auth',
    '/v2/members',
  ])('of %s are shown', (path) => {
    expect(seenOf({ path })).toHaveLength(1);
  });
});
