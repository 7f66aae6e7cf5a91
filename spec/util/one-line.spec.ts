import { inspect } from 'node:util';
import { ClusterState } from '../../lib/cluster/cluster-state.js';
import { Fault } from '../../lib/cluster/fault.js';
import { Member } from '../../lib/cluster/member.js';
import { EtcdError } from '../../lib/errors.js';
import { oneLine } from '../../lib/util/one-line.js';

const forging = [
  'a\nb',
  'a\r\nb',
  'a\x1b[2Kb',
  'a\u202eb',
  'a\u2066b\u2069',
  'a\u2028b',
  'a\u0085b',
  'a\u200fb',
  'a\ufeffb',
  'a\uD800b',
];

test.each(forging.map((text) => [JSON.stringify(text), text]))('%s cannot forge a line', (_, text) => {
  const member = new Member(
    { id: text, name: text, clientURLs: [`http://${text}`], peerURLs: [] },
    'running',
    true,
  );
  const unnamed = new Member({ id: text, name: '', clientURLs: [], peerURLs: [] }, 'down', false);
  const state = new ClusterState([member, unnamed], true, 3, new Date(0));
  const fault = new Fault({ summary: text, toError: () => new EtcdError('API_ERROR', text) });
  const error = new EtcdError('API_ERROR', text);
  for (const shown of [
    oneLine(text),
    String(member),
    inspect(state),
    String(state),
    fault.message,
    String(error),
  ])
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
  const attempt = { endpoint: `http://${text}`, error: text, at: new Date(0), durationMs: 1 };
  expect(new EtcdError('API_ERROR', text, { attempts: [attempt] }).message.split('\n')).toHaveLength(2);
});

test('other writing stays as it is', () => {
  for (const text of ['/ключ', '/مفتاح', '/鍵 🦊', 'Member node3 (leader)']) expect(oneLine(text)).toBe(text);
});
