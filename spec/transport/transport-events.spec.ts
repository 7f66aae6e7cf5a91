import type { Observable } from 'rxjs';
import type { ClientEvent } from '../../lib/insight/events.js';
import { eventually } from '../support/jest/eventually.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { asItIs, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe.each(kinds)('events, %s', (kind) => {
  const secrets = {
    method: 'PUT' as const,
    path: '/v2/keys/a?prevValue=hush',
    body: 'value=hush',
    authorization: 'Basic hush',
    operation: 'set',
  };
  const at: unknown = expect.any(Date);
  const anyNumber: unknown = expect.any(Number);
  const described = () => ({
    operation: 'set',
    endpoint: scripted.server.url,
    method: 'PUT',
    path: '/v2/keys/a',
  });

  test.each<[string, ScriptedAction, 'whole' | 'parts', object]>([
    ['an answer', { status: 200, headers: { 'X-Y': 'hush' }, body: 'hush' }, 'whole', { status: 200 }],
    ['an answer in parts', { status: 404, body: 'hush' }, 'parts', { status: 404 }],
    ['no answer', { reset: true }, 'whole', { error: matching(/^(ECONNRESET|UND_ERR_SOCKET)$/) }],
    ['silence', { silence: true }, 'whole', { error: 'timed out after 200 ms' }],
  ])('%s: request and response, without query, body or credentials', async (_, action, how, more) => {
    await serve(() => action);
    const transport = open(kind);
    const seen: ClientEvent[] = [];
    scripted.events.events$.subscribe((event) => seen.push(event));
    const request = requestOf({ ...secrets, timeout: 200 });
    const exchange$: Observable<unknown> =
      how === 'parts' ? transport.parts$(request, asItIs) : transport.exchange$(request);
    exchange$.subscribe({ error: () => undefined });
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([
      { type: 'request', ...described(), at },
      { type: 'response', ...described(), ...more, durationMs: anyNumber, at },
    ]);
    expect(JSON.stringify(seen)).not.toContain('hush');
  });

  test('an abort is told once, as one', async () => {
    await serve(() => ({ silence: true }));
    const transport = open(kind);
    const seen: ClientEvent[] = [];
    scripted.events.events$.subscribe((event) => seen.push(event));
    const subscription = transport.exchange$(requestOf(secrets)).subscribe();
    await eventually(() => scripted.server.requests.length === 1);
    subscription.unsubscribe();
    await eventually(() => scripted.server.requests[0]?.aborted === true);
    expect(seen.map((e) => e.type)).toEqual(['request', 'response']);
    expect(seen[1]).toMatchObject({ error: 'aborted' });
  });
});
