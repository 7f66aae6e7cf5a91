import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { EtcdClient, type ClientOptions } from 'rxetcd';
import {
  anyKey,
  anything,
  brokenText,
  callKinds,
  kinds,
  oneOf,
  optionsOf,
  text,
  type Kind,
} from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';
import { refusalOf } from '../../support/jest/refusal.js';

const { server, fresh, outcome } = fuzzedServer();

const begins = (material: Buffer): boolean => material.includes('-----BEGIN ');

describe(`with the seed ${String(runSeed)}`, () => {
  describe('the client', () => {
    const pem: Kind = {
      fits: (v) =>
        [v].flat().every((x) => (typeof x === 'string' || x instanceof Uint8Array) && begins(Buffer.from(x))),
      good: fc.oneof(
        text.map((t) => `-----BEGIN ${t}`),
        fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.concat([Buffer.from('-----BEGIN '), bytes])),
      ),
    };
    const known = {
      ...callKinds,
      heartbeat: {
        fits: (v) => v === false || kinds.time.fits(v),
        good: fc.oneof(fc.constant(false), kinds.time.good),
      },
      connectTimeout: kinds.time,
      probeTimeout: kinds.time,
      discover: kinds.flag,
      watchOn: oneOf('leader', 'any'),
      tls: {
        ca: pem,
        cert: pem,
        key: pem,
        passphrase: kinds.text,
        servername: kinds.text,
        rejectUnauthorized: kinds.flag,
      },
    } satisfies Record<string, Kind | Record<string, Kind>>;

    test('takes good options and refuses bad ones', async () => {
      await forAll(400, fc.tuple(optionsOf(known), fc.boolean()), async ([{ options, good }, apart]) => {
        const make = () => {
          const made = apart ? new EtcdClient('localhost', bad(options)) : new EtcdClient(bad(options));
          expect(inspect(made) + JSON.stringify(made)).toContain('2379');
          made.close();
        };
        // Without endpoints before them, what is a list or a string would be endpoints.
        const isEndpoints = !apart && (typeof options === 'string' || Array.isArray(options));
        const refused = refusalOf(make);
        if (!isEndpoints) expect(refused === undefined).toBe(good);
      });
    });

    test('goes to the port that it was given, or refuses the endpoint', async () => {
      const space = fc.constantFrom('', '', '', ' ', '\n', '\t');
      const endpoint = fc.record({
        scheme: fc.constantFrom('', '', 'http://', 'HTTP://', 'https://'),
        host: fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'Example', 'a_b', 'bücher.example', '127.1'),
        port: fc.oneof(
          fc.constantFrom('80', '443', '080', '0443', '2379', '65535', '65536', '0'),
          fc.nat().map(String),
        ),
        after: fc.constantFrom('', '', '/', '//', '?', '#'),
        around: fc.tuple(space, space),
        tls: fc.boolean(),
      });
      await forAll(400, endpoint, async ({ scheme, host, port, after, around: [before, behind], tls }) => {
        const given = `${before}${scheme}${host}:${port}${after}${behind}`;
        let url = '';
        const refused = refusalOf(() => {
          const made = new EtcdClient(given, tls ? { tls: {} } : {});
          [url = ''] = made.endpoints;
          made.close();
        });
        if (refused !== undefined) {
          expect(refused.option).toBe('endpoints');
          return;
        }
        const { port: shown, protocol } = new URL(url);
        expect(Number(shown || (protocol === 'https:' ? 443 : 80))).toBe(Number(port));
        if (scheme !== '') expect(protocol).toBe(scheme.toLowerCase().slice(0, -2));
        else expect(protocol).toBe(tls ? 'https:' : 'http:');
      });
    });

    test('endpoints of any kind: a URL for each, or a refusal', async () => {
      const one = fc.oneof(
        anything,
        anyKey,
        text.map((t) => `http://${t}`),
        text.map((t) => `localhost:${t}`),
      );
      const endpoints = fc.oneof(
        one,
        fc.array(one, { maxLength: 3 }),
        fc.constant(new Array(1)),
        fc.sparseArray(fc.constant('localhost'), { maxLength: 3 }),
      );
      await forAll(400, fc.tuple(endpoints, fc.boolean()), async ([given, named]) => {
        refusalOf(() => {
          const made = named ? new EtcdClient({ endpoints: bad(given) }) : new EtcdClient(bad(given));
          for (const url of made.endpoints) expect(new URL(url).origin).toBe(url);
          made.close();
        });
      });
    });

    test('credentials of any kind are taken or refused, and never shown', async () => {
      const secretive = fc
        .oneof({ weight: 2, arbitrary: text }, { weight: 1, arbitrary: brokenText })
        .map((t) => `pa55${t}`);
      const auth = fc.record(
        {
          username: fc.oneof(secretive as fc.Arbitrary<unknown>, anything),
          password: fc.oneof(secretive as fc.Arbitrary<unknown>, anything),
        },
        { requiredKeys: [] },
      );
      await forAll(
        150,
        auth as fc.Arbitrary<{ username?: unknown; password?: unknown }>,
        async ({ ...given }) => {
          const { username, password } = given;
          const good =
            kinds.comparable.fits(username) &&
            !(username as string).includes(':') &&
            kinds.text.fits(password);
          let shown = '';
          const error = refusalOf(() => {
            const made = server.client({ auth: bad(given) });
            shown = inspect(made, { depth: 9 });
          });
          expect(error === undefined).toBe(good);
          expect(shown + inspect(error) + JSON.stringify([error, error?.value])).not.toContain('pa55');
          if (!good) return;
          // Authentication is off: any name will do, if it can be sent at all.
          const result = await outcome(() => server.client({ auth: bad(given) }).set$(fresh(), 'v'));
          expect(result.ok).toBe(true);
        },
      );
    });

    test('TLS material of any kind ends in an error of its own', async () => {
      const material = text.map((t) => `-----BEGIN CERTIFICATE-----\n${t}`);
      const tls = fc.record(
        { ca: material, cert: material, key: material, passphrase: text, servername: text },
        { requiredKeys: [] },
      );
      await forAll(12, tls, async (given) => {
        const options = {
          tls: given,
          endpoints: server.url.replace('http:', 'https:'),
        } as ClientOptions;
        const own = server.client(options);
        const result = await outcome(() => own.get$(fresh()), ['TLS', 'INVALID_OPTION', 'ALL_NODES_DOWN']);
        expect(result.ok).toBe(false);
        own.close();
      });
    });
  });
});
