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
