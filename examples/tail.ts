/**
 * `tail -f` of a directory that others append to with `createInOrder$`.
 *
 *   npm run example -- tail [DIRECTORY]
 *
 * prints the last ten values, then each one that is appended, and ends when the directory is deleted.
 */
import { EtcdClient, type EtcdNode, type WatchEvent } from 'rxetcd';
import { concatMap, finalize } from 'rxjs';

const [dir = '/log'] = process.argv.slice(3);
const client = new EtcdClient(process.env['ETCD_ENDPOINTS']?.split(',') ?? 'localhost:2379');

/** What the directory held when it was read, oldest first. */
function listed({ nodes = [] }: EtcdNode): string[] {
  return nodes
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => (a.createdIndex ?? 0) - (b.createdIndex ?? 0))
    .map(({ value = '' }) => value);
}

/** The lines that an event adds. */
function linesOf({ action, node }: WatchEvent): string[] {
  switch (action) {
    case 'sync':
      return listed(node).slice(-10);
    case 'resync': // the server no longer had what came in between
      return ['-- lines may be missing here; the last ten are', ...listed(node).slice(-10)];
    case 'create':
      return node.value === undefined ? [] : [node.value];
    default: // who appends does not change or delete
      return [];
  }
}

client
  .watch$(dir, {
    initial: true,
    until: ({ action, node }) => action === 'delete' && node.key === dir,
  })
  .pipe(
    concatMap(linesOf),
    finalize(() => client.close()),
  )
  .subscribe({
    next: (line) => console.log(line),
    error: (error: unknown) => console.error(String(error)),
  });
