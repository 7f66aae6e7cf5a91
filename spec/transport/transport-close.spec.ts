import { firstValueFrom } from 'rxjs';
import { TransportError } from '../../lib/transport/transport-error.js';
import { eventually } from '../support/jest/eventually.js';
import { asItIs, collect, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe('close', () => {
  test.each(kinds.slice(0, 2))('%s: ends idle and busy connections', async (kind) => {
    await serve(({ path }) =>
      path === '/wait' ? { headersThenSilence: { status: 200 } } : { status: 200, body: '{}' },
    );
    const transport = open(kind);
    await firstValueFrom(transport.exchange$(requestOf()));
    await firstValueFrom(transport.exchange$(requestOf({ pool: 'watch' })));
    const { seen } = collect(transport.parts$(requestOf({ path: '/wait', pool: 'watch' }), asItIs));
    await eventually(() => seen.parts.length === 1);
    expect(scripted.server.connections).toBeGreaterThan(1);
    transport.close();
    await eventually(() => scripted.server.connections === 0);
    await eventually(() => seen.error instanceof TransportError);
    transport.close();
  });
});
