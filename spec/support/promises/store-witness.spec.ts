import { firstValueFrom } from 'rxjs';
import { serverUnderTest } from '../etcd/server-under-test.js';
import { startHttpTap } from '../proxies/http-tap.js';
import { StoreWitness } from './store-witness.js';

const server = serverUnderTest();

test.each(['/app/_hidden/k', '/app/shown'])(
  'a write to %s that is stored and never answered is seen',
  async (key) => {
    const root = server.key();
    const tap = await firstValueFrom(startHttpTap(server.url));
    server.afterwards(() => firstValueFrom(tap.close$()));
    const { index: from } = await new StoreWitness([tap.url], root, 1).insist(key, { value: 'first' });
    const witness = new StoreWitness([tap.url], root, from);
    witness.start();
    server.afterwards(() => witness.stop());
    await witness.insist('/app/seen', { value: 'live' });
    await witness.reach(from + 1);

    const stored: Promise<Response>[] = [];
    tap.instead = ({ method }) => {
      if (method !== 'PUT') return undefined;
      const body = new URLSearchParams({ value: 'unanswered' });
      stored.push(server.fetch(`/keys${root}${key}`, { method, body }));
      return 'silence';
    };
    expect(await witness.write('PUT', key, { value: 'unanswered' })).toBeUndefined();
    await Promise.all(stored);
    tap.instead = () => undefined;

    const { index: last } = await witness.insist('/app/last', { value: 'last' });
    await witness.reachWithHidden(last);
    expect(witness.changes.map(({ value }) => value)).toEqual(['first', 'live', 'unanswered', 'last']);
    expect(witness.findings).toEqual([]);
  },
);
