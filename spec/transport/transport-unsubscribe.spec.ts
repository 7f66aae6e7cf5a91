import { firstValueFrom } from 'rxjs';
import type { HttpResponse } from '../../lib/transport/http.js';
import { eventually } from '../support/jest/eventually.js';
import { asItIs, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe.each(kinds)('unsubscribing, %s', (kind) => {
  test("closes the server's connection within 50 ms", async () => {
    await serve(() => ({ silence: true }));
    const subscription = open(kind).exchange$(requestOf()).subscribe();
    await eventually(() => scripted.server.requests.length === 1);
    subscription.unsubscribe();
    await eventually(() => scripted.server.requests[0]?.aborted === true, { within: 50, every: 1 });
  });

  test('at once after subscribing sends nothing', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    for (const pool of ['command', 'watch'] as const) {
      transport
        .exchange$(requestOf({ path: '/cancelled', pool }))
        .subscribe()
        .unsubscribe();
      transport
        .parts$(requestOf({ path: '/cancelled', pool }), asItIs)
        .subscribe()
        .unsubscribe();
    }
    // What was to be sent before this would have arrived before it.
    await firstValueFrom(transport.exchange$(requestOf({ path: '/next' })));
    await firstValueFrom(transport.exchange$(requestOf({ path: '/next', pool: 'watch' })));
    expect(scripted.server.requests.map((r) => r.path)).toEqual(['/next', '/next']);
  });

  test('after the answer does no harm: the connection is used again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    const answers: HttpResponse[] = [];
    const subscription = transport.exchange$(requestOf()).subscribe((answer) => answers.push(answer));
    await eventually(() => answers.length === 1);
    subscription.unsubscribe();
    await firstValueFrom(transport.exchange$(requestOf()));
    expect(scripted.server.accepted).toBe(1);
  });
});

// Over fetch the connections are the platform's.
describe.each(kinds.slice(0, 2))('what is unsubscribed while it waits, %s', (kind) => {
  test.each(['command', 'watch'] as const)('opens no other connection in its stead (%s)', async (pool) => {
    const n = 20;
    await serve(({ path }) => (path === '/next' ? { status: 200, body: '{}' } : { silence: true }));
    const transport = open(kind);
    const subscriptions = Array.from({ length: n }, () =>
      transport.parts$(requestOf({ pool }), asItIs).subscribe({ error: () => undefined }),
    );
    await eventually(() => scripted.server.requests.length === n);
    const before = scripted.server.accepted;
    subscriptions.forEach((subscription) => subscription.unsubscribe());
    await eventually(() => scripted.server.requests.every((r) => r.aborted));
    // Whatever was to be opened comes before these are answered.
    for (let i = 0; i < 5; i++) await firstValueFrom(transport.exchange$(requestOf({ path: '/next', pool })));
    expect(scripted.server.accepted - before).toBeLessThanOrEqual(2);
    expect(scripted.server.connections).toBeLessThanOrEqual(2);
  });
});
