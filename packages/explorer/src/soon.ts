/** Not a promise: an `await` of it is one turn of the microtask queue. */
const NOTHING: unknown = undefined;

/**
 * Calls back after one turn of the microtask queue. Not by `then` on one promise for all: with that,
 * what runs leave behind outlives young collections, and half of the runs a second are lost.
 */
export async function soon(callback: () => void): Promise<void> {
  await NOTHING;
  callback();
}
