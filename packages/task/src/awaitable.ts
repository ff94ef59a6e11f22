/**
 * What may have to wait: the plain value when it did not, a promise only when it must.
 *
 * `await` is always legal. Hot paths test with `isPending` and stay synchronous.
 */
export type Awaitable<T> = T | Promise<T>;

/** Whether the value is still to come. */
export function isPending<T>(value: Awaitable<T>): value is Promise<T> {
  return value instanceof Promise;
}
