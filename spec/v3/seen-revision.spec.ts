import { SeenRevision } from '../../lib/v3/seen-revision.js';

test('the highest revision of one cluster; another one begins anew', () => {
  const seen = new SeenRevision();
  const values = [
    ['c', 5],
    ['c', 3],
    ['c', 7],
    ['c', 0],
    ['d', 2],
    ['d', 1],
  ].map(([clusterId, revision]) => {
    seen.saw({ clusterId: String(clusterId), revision: Number(revision) });
    return seen.value;
  });
  expect(values).toEqual([5, 5, 7, 7, 2, 2]);
});

test('who wants to know is told of each that is higher', () => {
  const seen = new SeenRevision();
  const told: number[] = [];
  seen.whenHigher((revision) => told.push(revision));
  for (const revision of [5, 3, 5, 7]) seen.saw({ clusterId: 'c', revision });
  seen.saw({ clusterId: 'd', revision: 2 });
  expect(told).toEqual([5, 7, 2]);
});

test('a store that was put back counts once, however many find out', () => {
  let restarts = 0;
  const seen = new SeenRevision(() => (restarts += 1));
  seen.saw({ clusterId: 'c', revision: 9 });
  const { epoch } = seen;
  seen.restart(epoch, 4);
  seen.restart(epoch, 5);
  expect([seen.value, seen.restarts, restarts]).toEqual([4, 1, 1]);
  // Another cluster is none that was put back.
  seen.saw({ clusterId: 'd', revision: 2 });
  expect([seen.restarts, restarts]).toEqual([1, 1]);
});
