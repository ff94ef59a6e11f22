const SETTLED = Promise.resolve();

/** Calls back after one turn of the microtask queue. */
export function soon(callback: () => void): void {
  void SETTLED.then(callback);
}
