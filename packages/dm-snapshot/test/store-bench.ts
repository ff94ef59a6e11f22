import { type Awaitable, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { LoadResult } from "../src/index.ts";
import { type ExceptionStore, PersistentStore } from "../src/index.ts";
import { MemoryCow } from "./memory-cow.ts";

/** What stores had to say to people. */
export const told: string[] = [];

export const scheduler: VirtualScheduler = new VirtualScheduler();

export async function inTask<T>(body: (task: Task) => Awaitable<T>): Promise<T> {
  return scheduler.perform("test", async (task) => body(task));
}

export interface Loaded {
  readonly store: PersistentStore;
  readonly cow: MemoryCow;
  readonly result: LoadResult;
  readonly exceptions: (readonly [oldChunk: number, newChunk: number])[];
}

/** A persistent store of a device, loaded. */
export async function load(cow: MemoryCow, chunkSectors = 8): Promise<Loaded> {
  const store = new PersistentStore({
    io: cow,
    chunkSectors,
    log: (message) => told.push(message),
  });
  const exceptions: [number, number][] = [];
  const result = await inTask((task) =>
    store.load(task, (oldChunk, newChunk) => exceptions.push([oldChunk, newChunk])),
  );
  return { store, cow, result, exceptions };
}

export async function fresh(sizeSectors: number, chunkSectors = 8): Promise<Loaded> {
  return load(new MemoryCow(sizeSectors), chunkSectors);
}

/** Commits exceptions for the old chunks, one by one or all together; whether each is durable. */
export async function commitAll(
  store: ExceptionStore,
  oldChunks: readonly number[],
  { together = false, copied = true }: { together?: boolean; copied?: boolean } = {},
): Promise<boolean[]> {
  const answers: boolean[] = [];
  const listener = {
    onCommitted: (isDurable: boolean): void => {
      answers.push(isDurable);
    },
  };
  const newChunks = together ? oldChunks.map(() => store.prepare()) : [];
  await inTask(async (task) => {
    for (const [index, oldChunk] of oldChunks.entries()) {
      const newChunk = newChunks[index] ?? store.prepare();
      if (newChunk < 0) throw new Error(`no space for old chunk ${String(oldChunk)}`);
      await store.commit({ oldChunk, newChunk, isCopied: copied }, listener, task);
    }
  });
  return answers;
}

/** `count` numbers from `start` on. */
export function range(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
