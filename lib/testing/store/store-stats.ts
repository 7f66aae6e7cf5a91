import { StoreError } from './store-error.js';

type Counted = 'gets' | 'sets' | 'delete' | 'update' | 'create' | 'compareAndSwap' | 'compareAndDelete';

/** What `/v2/stats/store` counts, under its names and in its order. */
export interface StoreCounts extends Record<`${Counted}${'Success' | 'Fail'}`, number> {
  expireCount: number;
  watchers: number;
}

export const noCounts = (): StoreCounts => ({
  getsSuccess: 0,
  getsFail: 0,
  setsSuccess: 0,
  setsFail: 0,
  deleteSuccess: 0,
  deleteFail: 0,
  updateSuccess: 0,
  updateFail: 0,
  createSuccess: 0,
  createFail: 0,
  compareAndSwapSuccess: 0,
  compareAndSwapFail: 0,
  compareAndDeleteSuccess: 0,
  compareAndDeleteFail: 0,
  expireCount: 0,
  watchers: 0,
});

/** Refusals that etcd counts as successes, by error code. */
const mistaken: Readonly<Partial<Record<Counted, readonly number[]>>> = {
  update: [102, 107],
  delete: [107],
  compareAndSwap: [107],
  compareAndDelete: [101, 102],
};

/** Runs a call and counts how it went. */
export function counted<T>(counts: StoreCounts, what: Counted, call: () => T): T {
  try {
    const result = call();
    counts[`${what}Success`] += 1;
    return result;
  } catch (error) {
    const asSuccess = error instanceof StoreError && mistaken[what]?.includes(error.errorCode) === true;
    if (asSuccess) counts[`${what}Success`] += 1;
    else counts[`${what}Fail`] += 1;
    throw error;
  }
}
