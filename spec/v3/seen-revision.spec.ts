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
