export type { Allocator } from "./allocator.ts";
export { Mempool, type MempoolOptions, OutOfMemoryError } from "./mempool.ts";
