import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../cluster/local-cluster.js';

/** Clusters that rounds share, one of each size. */
export class Clusters {
  readonly #bySize = new Map<number, LocalCluster>();

  async of(size: number): Promise<LocalCluster> {
    const known = this.#bySize.get(size) ?? (await firstValueFrom(startLocalCluster({ size })));
    this.#bySize.set(size, known);
    return known;
  }

  async down(): Promise<void> {
    for (const cluster of this.#bySize.values()) await lastValueFrom(cluster.down$());
    this.#bySize.clear();
  }
}
