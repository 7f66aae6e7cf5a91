import type { WatchEvent } from 'rxetcd';
import { FollowedWatch } from './followed-watch.js';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { startHeaderStripper } from '../proxies/header-stripper.js';
import { startHttpTap } from '../proxies/http-tap.js';
import { runSeed, seededRandom } from '../values/random.js';
import { serverUnderTest } from '../etcd/server-under-test.js';
import { StoreWitness, writeAtRandom } from './store-witness.js';
import type { Change } from './validators.js';

/* What random writers have done, what a real watch has told of it, and violations planted into that. */
const server = serverUnderTest();
let witness: StoreWitness;
let watch: FollowedWatch;
let changes: readonly Change[];

beforeEach(async () => {
  const root = server.key();
  const first = await new StoreWitness([server.url], root, 1).insist('/app/first', { value: 'first' });
  witness = new StoreWitness([server.url], root, first.index);
  witness.start();
  server.afterwards(() => witness.stop());
  watch = new FollowedWatch(server.client(), root, { fromIndex: first.index });
  server.afterwards(() => watch.unsubscribe());
  const random = seededRandom(runSeed);
  while (witness.changes.length < 60) await writeAtRandom(witness, random);
  const { index } = await witness.insist('/app/last', { value: 'last' });
  await witness.reach(index);
  changes = witness.changes;
  await watch.reach(changes);
});

const events = () => watch.log.events;
const findings = () => watch.findings(changes, changes);

test('what was told whole is found right', () => {
  expect(findings()).toEqual([]);
});

test.each<[string, (at: number) => void, RegExp]>([
  ['an event that was dropped', (at) => events().splice(at, 1), /missing: /],
  ['one that came twice', (at) => events().splice(at, 0, events()[at]!), /index \d+ twice/],
  [
    'two in the wrong order',
    (at) => events().splice(at, 2, events()[at + 1]!, events()[at]!),
    /event \d+ after \d+/,
  ],
  [
    'one that came late, below the position',
    (at) => events().splice(at + 5, 0, ...events().splice(at, 1)),
    /event \d+ after \d+/,
  ],
  ['a value that is another one', (at) => garble(at), /garbled: /],
  ['one that nobody wrote', (at) => events().splice(at, 0, invented(at)), /invented: /],
  ['a part of history without its resync', (at) => events().splice(at, 10), /missing: /],
])('%s is found', (_, plant, finding) => {
  plant(20);
  expect(findings().some((line) => finding.test(line))).toBe(true);
});

test('what hangs is told from what is lost', async () => {
  events().splice(40);
  await expect(watch.reach(changes, 50)).rejects.toThrow(/hangs at \d+ before \d+/);
  const known = changes.filter(({ index }) => index <= watch.lastIndex);
  expect(watch.findings(known, known)).toEqual([]);
});

describe('a state that was read above the last change, for want of headers', () => {
  /** Whose state is held until `release`, its index being told already. */
  let late: FollowedWatch;
  let release: () => void;

  beforeEach(async () => {
    const tap = await firstValueFrom(startHttpTap(server.url));
    server.afterwards(() => firstValueFrom(tap.close$()));
    const stripper = await firstValueFrom(startHeaderStripper(tap.url));
    server.afterwards(() => firstValueFrom(stripper.close$()));
    const released = new Promise<void>((resolve) => (release = resolve));
    let listings = 0;
    tap.until = ({ path }) => {
      if (path.includes('wait=true') || !path.includes('recursive=true')) return undefined;
      listings += 1;
      // The first finds out that there is no index to be read.
      return listings > 1 ? released : undefined;
    };
    const client = server.client({ endpoints: stripper.url, discover: false });
    late = new FollowedWatch(client, watch.key, { initial: true }, true);
    server.afterwards(() => late.unsubscribe());
    await eventually(() => listings > 1);
    changes = await witness.settled();
    await witness.insist('/app/above', { value: 'above' });
    release();
    await late.reach(changes);
  });

  test('is found right, as what came above is known', async () => {
    const [sync] = late.log.events;
    expect(JSON.stringify(sync)).toContain('/app/above');
    expect(sync?.index).toBeLessThan(changes.at(-1)!.index);
    expect(late.findings(changes, await witness.settled())).toEqual([]);
  });

  test('is found wrong if it holds what nobody wrote', async () => {
    const [sync] = late.log.events;
    late.log.events[0] = { ...sync!, node: invented(0).node };
    expect(late.findings(changes, await witness.settled())).toEqual([
      expect.stringMatching(/the state at \d+ is .*invented/),
    ]);
  });
});

function garble(at: number): void {
  const event = events()[at]!;
  events()[at] = { ...event, node: { ...event.node, value: 'another' } };
}

/** Between two events, with an index that no change has. */
function invented(at: number): WatchEvent {
  const event = events()[at]!;
  return {
    ...event,
    index: event.index - 0.5,
    node: { key: `${watch.key}/app/invented`, value: '' },
  };
}
