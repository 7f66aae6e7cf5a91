import * as fc from 'fast-check';
import type { EtcdClient, HttpMethod } from 'rxetcd';
import { anyKey, anything, isUnicode, path, text, value } from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';

const fuzz = fuzzedServer();
const { bare, fresh, outcome } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

describe(`with the seed ${String(runSeed)}`, () => {
  describe('raw$', () => {
    /** Answered or refused: nothing in between. */
    const answered = async (method: unknown, at: unknown, options?: unknown) =>
      outcome(() => client.raw$(bad(method), bad(at), bad(options)), ['INVALID_OPTION']);

    test('any path is answered or refused', async () => {
      const target = fc.record({
        method: fc.oneof(
          {
            weight: 8,
            arbitrary: fc.constantFrom<unknown>('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
          },
          { weight: 1, arbitrary: anything },
        ),
        at: fc.oneof(
          { weight: 4, arbitrary: anyKey.map((key): unknown => `/v2/keys/raw/${key}`) },
          { weight: 2, arbitrary: path.map((p) => `/v2/keys/raw/${encodeURI(p)}`) },
          { weight: 1, arbitrary: anyKey },
          { weight: 1, arbitrary: anything },
        ),
      });
      await forAll(300, target, async ({ method, at }) => {
        const result = await answered(method, at);
        if (typeof at !== 'string' || !/^\/(?!\/)/.test(at) || !isUnicode(at)) expect(result.ok).toBe(false);
        else if (/^[A-Za-z0-9/._~-]{2,3000}$/.test(at) && (method === 'GET' || method === 'PUT'))
          expect(result.ok).toBe(true);
      });
    });

    test('a form holds what it was given, by whatever names', async () => {
      const fields = fc.record({
        v: value,
        name: text.filter((t) => !['value', 'true'].includes(t)),
        other: text,
        where: fc.constantFrom('data', 'params', 'search'),
      });
      await forAll(120, fields, async ({ v, name, other, where }) => {
        const key = fresh();
        // In front of the value: whatever it ends in would change that.
        const both = Object.fromEntries([[name, other], ['value', v]]); // prettier-ignore
        const options = where === 'search' ? { data: new URLSearchParams(both) } : { [where]: both };
        const result = await answered('PUT', `/v2/keys${key}`, options);
        if (!result.ok) {
          // Only what is too long for a request line, or for a form.
          const encoded = encodeURIComponent(Object.entries(both).flat().join(''));
          expect(encoded.length).toBeGreaterThan(where === 'params' ? 3_900 : 10_000_000);
          return;
        }
        expect(result.value.status).toBe(201);
        expect((await bare('GET', key)).body.node?.value).toBe(v);
      });
    });

    test('parameters, bodies and headers of any kind are sent or refused', async () => {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      const record = fc.dictionary(text, anything, { maxKeys: 3 });
      const headers = fc.dictionary(
        fc.oneof(
          fc.constantFrom(
            'Accept',
            'keep-alive',
            'Transfer-Encoding',
            'te',
            'trailer',
            'Upgrade',
            'connection',
          ),
          fc.constantFrom(
            'content-type',
            'Content-Length',
            'authorization',
            'proxy-connection',
            'expect',
            'Host',
          ),
          fc.constantFrom(
            'http2-settings',
            'Content-Encoding',
            'cookie',
            'origin',
            'range',
            '__proto__',
            'x',
          ),
          text,
        ),
        fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: anything }),
        { maxKeys: 2 },
      );
      const options = fc.oneof(
        record.map((params) => ({ params })),
        fc.oneof(record, anything, fc.constant(circular)).map((data) => ({ data })),
        headers.map((given) => ({ headers: given })),
        fc.record({ params: anything, data: anything, headers: anything }, { requiredKeys: [] }),
      );
      const call = fc.record({
        method: fc.constantFrom<HttpMethod>('GET', 'PUT', 'POST'),
        at: fc.constantFrom('/v2/keys/raw/options', '/v2/stats/self'),
        given: options,
      });
      await forAll(500, call, async ({ method, at, given }) => {
        await answered(method, at, given);
      });
    });
  });
});
