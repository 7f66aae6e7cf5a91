import * as fc from 'fast-check';
import type { EtcdClient } from 'rxetcd';
import type { Observable } from 'rxjs';
import { callKinds, kinds, misfit, oneOf, optionsOf, type Kind } from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, expectedCodes, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';
import { refusalOf } from '../../support/jest/refusal.js';

const fuzz = fuzzedServer();
const { fresh, outcome, judge, start } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

describe(`with the seed ${String(runSeed)}`, () => {
  describe('options', () => {
    type KindsOf = Record<string, Kind | Record<string, Kind>>;
    const reads: KindsOf = { ...callKinds, recursive: kinds.flag, sorted: kinds.flag, quorum: kinds.flag };
    const writes: KindsOf = { ...callKinds, ttl: kinds.ttl };
    const deletes: KindsOf = { ...callKinds, recursive: kinds.flag };
    const conditions: KindsOf = { prevValue: kinds.comparable, prevIndex: kinds.index };
    const calls: [string, KindsOf, (options: never) => Observable<unknown>, ((o: object) => boolean)?][] = [
      ['get$', reads, (o) => client.get$(fresh(), o)],
      ['getValue$', reads, (o) => client.getValue$(fresh(), o)],
      ['exists$', reads, (o) => client.exists$(fresh(), o)],
      ['set$', { ...writes, noValueOnSuccess: kinds.flag }, (o) => client.set$(fresh(), 'v', o)],
      ['create$', writes, (o) => client.create$(fresh(), 'v', o)],
      ['update$', writes, (o) => client.update$(fresh(), 'v', o)],
      ['refresh$', callKinds, (o) => client.refresh$(fresh(), 60, o)],
      ['createInOrder$', writes, (o) => client.createInOrder$(fresh(), 'v', o)],
      ['delete$', deletes, (o) => client.delete$(fresh(), o)],
      [
        'compareAndSwap$',
        { ...writes, ...conditions },
        (o) => client.compareAndSwap$(fresh(), 'v', o),
        hasCondition,
      ],
      [
        'compareAndDelete$',
        { ...callKinds, ...conditions },
        (o) => client.compareAndDelete$(fresh(), o),
        hasCondition,
      ],
      ['setDir$', writes, (o) => client.setDir$(fresh(), o)],
      ['createDir$', writes, (o) => client.createDir$(fresh(), o)],
      ['updateDir$', writes, (o) => client.updateDir$(fresh(), o)],
      ['createDirInOrder$', writes, (o) => client.createDirInOrder$(fresh(), o)],
      ['deleteDir$', deletes, (o) => client.deleteDir$(fresh(), o)],
      ['watch$', { recursive: kinds.flag, initial: kinds.flag, fromIndex: kinds.index, until: kinds.predicate, onHistoryLost: oneOf('resync', 'error') }, (o) => start(client.watch$(fresh(), o)), (o) => !('initial' in o && o.initial === true && 'fromIndex' in o && o.fromIndex !== undefined)], // prettier-ignore
      ['watchOnce$', { recursive: kinds.flag, fromIndex: kinds.index, timeout: kinds.time }, (o) => start(client.watchOnce$(fresh(), o))], // prettier-ignore
      ['raw$', callKinds, (o) => client.raw$('GET', `/v2/keys${fresh()}`, o)],
      ['members.list$', callKinds, (o) => client.members.list$(o)],
      ['members.leader$', callKinds, (o) => client.members.leader$(o)],
      ['members.update$', callKinds, (o) => client.members.update$('1', ['http://localhost:1'], o)],
      ['members.remove$', callKinds, (o) => client.members.remove$('1', o)],
      ['stats.leader$', { ...callKinds, each: kinds.flag }, (o) => client.stats.leader$(o)],
      ['stats.self$', { ...callKinds, each: kinds.flag }, (o) => client.stats.self$(o)],
      ['stats.store$', { ...callKinds, each: kinds.flag }, (o) => client.stats.store$(o)],
      ['machines$', callKinds, (o) => client.machines$(o)],
      ['version$', callKinds, (o) => client.version$(o)],
      ['versions$', callKinds, (o) => client.versions$(o)],
      ['health$', callKinds, (o) => client.health$(o)],
      ['auth.status$', callKinds, (o) => client.auth.status$(o)],
      ['auth.disable$', callKinds, (o) => client.auth.disable$(o)],
      ['auth.users$', callKinds, (o) => client.auth.users$(o)],
      ['auth.user$', callKinds, (o) => client.auth.user$('nobody', o)],
      ['auth.updateUser$', callKinds, (o) => client.auth.updateUser$('nobody', { grant: ['r'] }, o)],
      ['auth.deleteUser$', callKinds, (o) => client.auth.deleteUser$('nobody', o)],
      ['auth.roles$', callKinds, (o) => client.auth.roles$(o)],
      ['auth.role$', callKinds, (o) => client.auth.role$('none', o)],
      ['auth.updateRole$', callKinds, (o) => client.auth.updateRole$('none', { grant: { read: ['/a'] } }, o)],
      ['auth.deleteRole$', callKinds, (o) => client.auth.deleteRole$('none', o)],
    ];

    function hasCondition(options: object): boolean {
      const { prevValue, prevIndex } = options as { prevValue?: unknown; prevIndex?: unknown };
      return prevValue !== undefined || prevIndex !== undefined;
    }

    test('good ones are taken and bad ones refused, by every call', async () => {
      const given = fc.oneof(
        ...calls.map(([name, known, run, demands = () => true]) =>
          optionsOf(known).map(({ options, good }) => ({
            name,
            options,
            good: good && demands(options as object),
            run,
          })),
        ),
      );
      await forAll(1_200, given, async ({ run, options, good }) => {
        await judge(() => run(bad(options)), good);
      });
    });

    test('what is no object is refused by every call', async () => {
      for (const [, , run] of calls)
        for (const options of [null, 5, 'text', true, [], Symbol('o'), 5n, () => ({})])
          await judge(() => run(bad(options)), false);
    });

    test('those that an object inherits are checked as its own are', async () => {
      const given = fc.oneof(
        ...calls.map(([name, known, run]) =>
          fc
            .constantFrom(...Object.keys(known).filter((option) => option !== 'retry'))
            .chain((option) =>
              misfit((v) => (known[option] as Kind).fits(v)).map((v) => ({ name, option, v, run })),
            ),
        ),
      );
      await forAll(250, given, async ({ option, v, run }) => {
        await judge(() => run(bad(Object.create({ prevIndex: 1, [option]: v }))), false);
      });
    });

    test('limits of any length end the call in time', async () => {
      const brief = fc.record({
        timeout: fc.double({ min: 1e-300, max: 20, noNaN: true }),
        write: fc.boolean(),
      });
      const codes = [...expectedCodes, 'REQUEST_TIMEOUT', 'OUTCOME_UNKNOWN', 'ALL_NODES_DOWN'];
      await forAll(40, brief, async ({ timeout: time, write }) => {
        const limits = { timeout: time, deadline: time * 3 };
        await outcome(
          () => (write ? client.set$(fresh(), 'v', limits) : client.get$(fresh(), limits)),
          codes,
        );
      });
    });

    test('of logEvents: a subscription, or a refusal', async () => {
      const known = {
        level: oneOf('debug', 'info', 'warn', 'error'),
        bodies: kinds.flag,
        write: kinds.predicate,
      };
      await forAll(100, optionsOf(known), async ({ options, good }) => {
        expect(refusalOf(() => client.logEvents(bad(options)).unsubscribe()) === undefined).toBe(good);
      });
    });
  });
});
