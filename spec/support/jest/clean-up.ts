/** Undoes all, the latest first, even if something fails; then rejects with the first failure. */
export async function cleanUp(undos: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of undos.splice(0).reverse()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** For a spec file: what it returns takes what is to be undone after the test, the latest first, even if the test fails. */
export function afterEachTest(): (undo: () => unknown) => void {
  const undos: (() => unknown)[] = [];
  afterEach(() => cleanUp(undos));
  return (undo) => undos.push(undo);
}
