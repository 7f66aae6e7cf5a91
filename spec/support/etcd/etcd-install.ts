/**
 * Command line: `node etcd-install.js [bullseye | bookworm | trixie | sid]` finds or fetches an etcd and prints its path and version
 * on one line; ends with 1 and the reason on stderr otherwise.
 */
import { defer } from 'rxjs';
import { debianReleases } from './debian-etcd.js';
import { findEtcd } from './find-etcd.js';

const asked = process.argv[2];

defer(() => {
  const release = debianReleases.find((name) => name === asked);
  if (asked !== undefined && release === undefined)
    throw new Error(`Unknown release ${asked}: one of ${debianReleases.join(', ')}.`);
  return findEtcd(release === undefined ? {} : { release });
}).subscribe({
  next: ({ path, version }) => console.log(`${path} ${version}`),
  error: (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
});
