import { TransportError } from '../../lib/transport/transport-error.js';
import { a, b, info, says, threeMembers } from '../faults/three-members.js';

/* Probes on demand. `b` is found, and leaves the cluster. */
const world = threeMembers();
const probed = () => world.probes.filter(({ url }) => url === b);

beforeEach(async () => {
  world.setUp({ endpoints: [a] });
  await world.settle();
  world.probes = [];
});

/** The next probe of `a` tells that `b` is no member any more. */
async function removeB(): Promise<void> {
  world.words[a] = says('A', { members: [info('A', a)] });
  world.cluster.refresh$().subscribe();
  await jest.advanceTimersByTimeAsync(1.5);
  expect(world.cluster.endpoints).toEqual([a]);
}

test('a probe that waits for its turn is not sent to an endpoint that is none any more', async () => {
  const errors: unknown[] = [];
  const error = (thrown: unknown) => errors.push(thrown);
  world.words[b] = 'silence';
  // One is sent, one is to follow it.
  const first = world.cluster.vouch$(b).subscribe({ error });
  world.cluster.vouch$(b).subscribe({ error });
  await removeB();
  const { length } = probed();
  world.words[b] = says('B');
  first.unsubscribe();
  world.cluster.vouch$(b).subscribe({ error });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(probed()).toHaveLength(length);
  expect(errors).toEqual([expect.any(TransportError)]);
});

test('nor is a check of a member that a call to it waits for', async () => {
  await removeB();
  const { length } = probed();
  const told = jest.fn();
  world.cluster.check$(b).subscribe({ complete: told });
  await jest.advanceTimersByTimeAsync(50);
  expect(told).toHaveBeenCalled();
  expect(probed()).toHaveLength(length);
});
