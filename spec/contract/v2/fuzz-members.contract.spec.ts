import * as fc from 'fast-check';
import { isInvalidOption, type EtcdClient } from 'rxetcd';
import { anything, segment } from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';

const fuzz = fuzzedServer();
const { outcome, judge, succeed } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

describe(`with the seed ${String(runSeed)}`, () => {
  describe('members', () => {
    const hex = fc.string({
      unit: fc.constantFrom(...'0123456789abcdefABCDEF'.split('')),
      minLength: 1,
      maxLength: 20,
    });
    const ids = fc.oneof(
      hex as fc.Arbitrary<unknown>,
      anything,
      hex.map((id) => id.repeat(Math.ceil(4_200 / id.length))),
    );
    const url = fc.oneof(
      segment.map((host): unknown => `http://${host}:1`),
      segment.map((port) => `http://localhost:${port}`),
      anything,
      fc.constantFrom(
        'http://a:1/',
        'http://a:1?b',
        'http://a:1#b',
        'http://a b:1',
        'http://[::1:1',
        'http://a:99999',
      ),
    );

    test('ids and peer URLs of any kind: not found, or refused', async () => {
      const call = fc.record({
        remove: fc.boolean(),
        id: ids,
        urls: fc.oneof(
          { weight: 4, arbitrary: fc.array(url, { maxLength: 3 }) },
          { weight: 1, arbitrary: anything },
        ),
      });
      const { id: own } = (await succeed(client.members.list$()))[0]!;
      await forAll(150, call, async ({ remove, id, urls }) => {
        if (id === own) return;
        const result = await outcome(() =>
          remove ? client.members.remove$(bad(id)) : client.members.update$(bad(id), bad(urls)),
        );
        expect(result.ok).toBe(false);
        if (typeof id !== 'string' || !/^[0-9a-f]+$/i.test(id))
          expect(isInvalidOption(!result.ok && result.error)).toBe(true);
      });
      expect(await succeed(client.members.list$())).toHaveLength(1);
    });

    test('add$ takes no URL that is none', async () => {
      const { peerURLs } = (await succeed(client.members.list$()))[0]!;
      await forAll(80, url, async (given) => {
        // Beside one that is taken: a second member that never comes would cost the quorum.
        const result = await outcome(() => client.members.add$(bad([given, ...peerURLs])));
        expect(result.ok).toBe(false);
      });
      const sparse = new Array<string>(2);
      sparse[0] = peerURLs[0]!;
      await judge(() => client.members.add$(sparse), false);
      expect(await succeed(client.members.list$())).toHaveLength(1);
    });
  });
});
