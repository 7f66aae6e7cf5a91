import { matches } from '../../../lib/v2/watch/matches.js';

interface Change {
  action?: string;
  dir?: boolean;
}

/** [watched, recursive, changed, how, expected] */
type Row = [string, boolean, string, Change, boolean];
const plain: Change = {};
const deletedDir: Change = { action: 'delete', dir: true };

test.each<Row>([
  // The key itself.
  ['/a', false, '/a', plain, true],
  ['/a', true, '/a', plain, true],
  ['/a', false, '/a', { action: 'delete' }, true],
  ['/a', false, '/a', { action: 'expire' }, true],
  ['/a', false, '/a', deletedDir, true],
  ['/a', false, '/a/', plain, true],
  // Below it.
  ['/a', true, '/a/b', plain, true],
  ['/a', true, '/a/b/c', plain, true],
  ['/a', false, '/a/b', plain, false],
  ['/a', false, '/a/b', { action: 'delete' }, false],
  ['/a/b', true, '/a/b/c/d', { action: 'expire' }, true],
  // Neighbours.
  ['/a', true, '/b', plain, false],
  ['/a/b', true, '/a/c', plain, false],
  ['/a/b', true, '/a/c/b', plain, false],
  ['/a/b', true, '/b', plain, false],
  // Segments, not characters.
  ['/prefix', true, '/pre', deletedDir, false],
  ['/pre', true, '/prefix', plain, false],
  ['/pre', true, '/prefix', deletedDir, false],
  ['/a/prefix', true, '/a/pre', { action: 'expire', dir: true }, false],
  ['/a.b', true, '/aXb', plain, false],
  // A deleted ancestor takes the key along.
  ['/a/b/c', true, '/a', deletedDir, true],
  ['/a/b/c', false, '/a/b', deletedDir, true],
  ['/a/b/c', true, '/a/b', { action: 'expire', dir: true }, true],
  ['/a/b', true, '/', deletedDir, true],
  // Up to 3.1 without saying that it was a directory.
  ['/a/b', true, '/a', { action: 'delete' }, true],
  ['/a/b/c', false, '/a', { action: 'expire' }, true],
  ['/a/b/c', true, '/a/b', { action: 'expire' }, true],
  // Nothing else that happens to an ancestor does.
  ['/a/b', true, '/a', { action: 'set', dir: true }, false],
  ['/a/b', true, '/a', { action: 'create', dir: true }, false],
  ['/a/b', true, '/a', { action: 'update', dir: true }, false],
  ['/prefix', true, '/pre', { action: 'expire' }, false],
  ['/a/b', true, '/b', { action: 'expire' }, false],
  ['/a/b', true, '/a', { action: 'update' }, false],
  ['/a/b', true, '/a', { action: 'compareAndDelete' }, false],
  ['/a/b', true, '/c', deletedDir, false],
  // Hidden: a segment with _ below the watched key.
  ['/a', true, '/a/_h', plain, false],
  ['/a', true, '/a/_h/b', plain, false],
  ['/a', true, '/a/b/_h', plain, false],
  ['/a', true, '/a/_h', deletedDir, false],
  ['/a', true, '/a/b_', plain, true],
  ['/a', true, '/a/b_c', plain, true],
  ['/a/_h', true, '/a/_h', plain, true],
  ['/a/_h', false, '/a/_h', plain, true],
  ['/a/_h', true, '/a/_h/b', plain, true],
  ['/_h/a', true, '/_h/a/b', plain, true],
  ['/a/_h', true, '/a/_h/_i', plain, false],
  ['/a/_h/b', true, '/a/_h', deletedDir, true],
  ['/a', true, '/_h', plain, false],
  // The root.
  ['/', true, '/a', plain, true],
  ['/', true, '/a/b/c', plain, true],
  ['/', false, '/a', plain, false],
  ['/', true, '/_h', plain, false],
  ['/', true, '/a/_h', plain, false],
  ['/', true, '/', plain, true],
  // Case and encoding are the key's own.
  ['/a', true, '/A', plain, false],
  ['/a b', true, '/a b/ü', plain, true],
])('a watch of %s (recursive: %s) and a change of %s, %j: %s', (key, recursive, changed, how, expected) => {
  const { action = 'set', dir } = how;
  const node = { key: changed, ...(dir === undefined ? {} : { dir }) };
  expect(matches(key, recursive, action, node)).toBe(expected);
});
