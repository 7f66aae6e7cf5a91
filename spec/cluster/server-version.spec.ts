import { readVersion, type ServerVersion } from '../../lib/cluster/server-version.js';

describe('readVersion', () => {
  test.each<[string, ServerVersion | undefined]>([
    ['{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}', { etcdserver: '3.4.23', etcdcluster: '3.4.0' }],
    [
      '{"etcdserver":"3.5.16","etcdcluster":"3.5.0","storage":"3.5.0"}',
      { etcdserver: '3.5.16', etcdcluster: '3.5.0' },
    ],
    ['{"etcdserver":"3.4.23","etcdcluster":7}', { etcdserver: '3.4.23' }],
    ['{"etcdserver":"2.0.0"}', { etcdserver: '2.0.0' }],
    ['etcd v0.2.0-rc1', { etcdserver: '0.2.0-rc1' }],
    ['etcd v0.2.0', { etcdserver: '0.2.0' }],
    ['etcd 0.4.9\n', { etcdserver: '0.4.9' }],
    ['etcd 0.4', { etcdserver: '0.4' }],
    ['{"etcdserver":3}', undefined],
    ['{"etcdcluster":"3.4.0"}', undefined],
    ['["etcd 0.4.9"]', undefined],
    ['null', undefined],
    ['', undefined],
    ['404 page not found', undefined],
    ['<html>etcd 0.4.9</html>', undefined],
    ['etcd 0.4.9 and more', undefined],
    ['etcd unknown', undefined],
  ])('%j is %j', (body, version) => {
    expect(readVersion(body)).toEqual(version);
  });
});

test('text without end is no release, and is not searched for one', () => {
  const { length } = 'x'.repeat(1_000_000);
  const bodies = [
    `etcd 0.${'1'.repeat(length)} x`,
    `etcd 0.1${' '.repeat(length)}x`,
    `etcd v${'1.'.repeat(length / 2)} x`,
    JSON.stringify({ etcdserver: '3'.repeat(length) }),
  ];
  const begun = performance.now();
  for (const body of bodies) expect(readVersion(body)).toBeUndefined();
  expect(performance.now() - begun).toBeLessThan(1_000);
});
