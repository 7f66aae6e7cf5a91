import { retryClassOf } from '../../../lib/v3/api/retry-classes.js';
import type { Message } from '../../../lib/v3/wire/messages.js';
import { services, type Method } from '../../../lib/v3/wire/methods.js';

const key = Uint8Array.of(97);
const read = { request_range: { key } };
const local = { request_range: { key, serializable: true } };
const put = { request_put: { key } };

test.each<[Message<'RangeRequest'>, string]>([
  [{ key }, 'quorum-read'],
  [{ key, serializable: false }, 'quorum-read'],
  [{ key, serializable: true }, 'read'],
])('a range %j is of the class %s', (message, expected) => {
  expect(retryClassOf('KV', 'Range', message)).toBe(expected);
});

test.each<[string, Message<'TxnRequest'>, string]>([
  ['reads', { success: [read], failure: [read] }, 'quorum-read'],
  ['reads of what its member has', { success: [local], failure: [local] }, 'read'],
  ['both kinds of reads', { success: [local], failure: [read] }, 'quorum-read'],
  ['nothing', {}, 'read'],
  ['a write', { success: [put] }, 'once'],
  ['a write if it fails', { success: [read], failure: [put] }, 'once'],
  ['a deletion', { success: [{ request_delete_range: { key } }] }, 'once'],
  ['a read, nested', { success: [{ request_txn: { success: [read] } }] }, 'quorum-read'],
  ['a local read, nested', { success: [{ request_txn: { success: [local] } }] }, 'read'],
  [
    'a write, nested',
    { success: [{ request_txn: { failure: [{ request_txn: { success: [put] } }] } }] },
    'once',
  ],
])('a transaction of %s', (_, message, expected) => {
  expect(retryClassOf('KV', 'Txn', message)).toBe(expected);
});

test('alarms are read, or changed; a member list is as fresh as is asked for', () => {
  expect(retryClassOf('Maintenance', 'Alarm', {})).toBe('quorum-read');
  expect(retryClassOf('Maintenance', 'Alarm', { action: 'DEACTIVATE' })).toBe('once');
  expect(retryClassOf('Cluster', 'MemberList', {})).toBe('read');
  expect(retryClassOf('Cluster', 'MemberList', { linearizable: true })).toBe('quorum-read');
});

test('whatever changes something is never repeated once it may have been executed', () => {
  const reads = [
    ...['KV.Range', 'KV.Txn', 'Lease.LeaseTimeToLive', 'Lease.LeaseLeases', 'Cluster.MemberList'],
    ...['Maintenance.Alarm', 'Maintenance.Status', 'Maintenance.Hash', 'Maintenance.HashKV'],
    ...[
      'Auth.AuthStatus',
      'Auth.Authenticate',
      'Auth.UserGet',
      'Auth.UserList',
      'Auth.RoleGet',
      'Auth.RoleList',
    ],
    'Election.Leader',
  ];
  const others = Object.entries(services)
    .flatMap(([service, { methods }]) =>
      Object.keys(methods as Record<string, Method>).map((method) => [service, method] as const),
    )
    .filter(([service, method]) => !reads.includes(`${service}.${method}`));
  expect(others.length).toBeGreaterThan(25);
  for (const [service, method] of others)
    expect([service, method, retryClassOf(service as 'KV', method as 'Put', {})]).toEqual([
      service,
      method,
      'once',
    ]);
});
