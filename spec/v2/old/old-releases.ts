import type { OldRelease } from '../../support/old-etcd/old-etcd-release.js';

/*
 * The one place where an imitation stands for the real thing: these releases can no longer be installed. What the
 * imitation does was measured on 0.2.0-rc1, 0.2.0, 0.4.9 and 2.3.8.
 */
export const all: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.9', '2.0.3', '2.2.5', '2.3.8'];
export const legacy: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.7', '0.4.9'];
export const from = (first: OldRelease) => all.slice(all.indexOf(first));
