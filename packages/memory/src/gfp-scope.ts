import { type Awaitable, type GfpScope, GfpScopeBit, isPending, type Task } from "@blkstack/task";

/**
 * Keeps every allocation of `task` from starting I/O or entering a filesystem, until
 * `restoreNoIo` is given what this answers: whether the scope was in force already.
 */
export function saveNoIo(task: Task): GfpScope {
  return save(task, GfpScopeBit.NoIo);
}

/** Ends the scope of the `saveNoIo` that answered `saved`; an outer scope stays in force. */
export function restoreNoIo(task: Task, saved: GfpScope): void {
  restore(task, GfpScopeBit.NoIo, saved);
}

/** Keeps every allocation of `task` from entering a filesystem; see `saveNoIo`. */
export function saveNoFs(task: Task): GfpScope {
  return save(task, GfpScopeBit.NoFs);
}

/** Ends the scope of the `saveNoFs` that answered `saved`. */
export function restoreNoFs(task: Task, saved: GfpScope): void {
  restore(task, GfpScopeBit.NoFs, saved);
}

/** Does `work` in a noio scope. Waits: as `work` does. */
export function withNoIo<T>(task: Task, work: () => Awaitable<T>): Awaitable<T> {
  return withScope(task, GfpScopeBit.NoIo, work);
}

/** Does `work` in a nofs scope. Waits: as `work` does. */
export function withNoFs<T>(task: Task, work: () => Awaitable<T>): Awaitable<T> {
  return withScope(task, GfpScopeBit.NoFs, work);
}

function withScope<T>(task: Task, bit: GfpScope, work: () => Awaitable<T>): Awaitable<T> {
  const saved = save(task, bit);
  let isOver = true;
  try {
    const outcome = work();
    if (!isPending(outcome)) return outcome;
    isOver = false;
    return outcome.finally(() => {
      restore(task, bit, saved);
    });
  } finally {
    if (isOver) restore(task, bit, saved);
  }
}

function save(task: Task, bit: GfpScope): GfpScope {
  const saved = task.gfpScope & bit;
  task.gfpScope |= bit;
  return saved;
}

function restore(task: Task, bit: GfpScope, saved: GfpScope): void {
  task.gfpScope = (task.gfpScope & ~bit) | (saved & bit);
}
