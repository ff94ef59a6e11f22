import { invariant } from "@blkstack/bio";
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
  if (task.scheduler.isExploring) openScopesOf(task).push({ bit, saved });
  return saved;
}

function restore(task: Task, bit: GfpScope, saved: GfpScope): void {
  if (task.scheduler.isExploring) checkOrder(task, bit, saved);
  task.gfpScope = (task.gfpScope & ~bit) | (saved & bit);
}

/** A scope that was opened, and what it found. */
interface OpenScope {
  readonly bit: GfpScope;
  readonly saved: GfpScope;
}

/** Only while exploring: what each task has opened and not closed. */
const openScopes = new WeakMap<Task, OpenScope[]>();

function openScopesOf(task: Task): OpenScope[] {
  const known = openScopes.get(task);
  if (known !== undefined) return known;
  const opened: OpenScope[] = [];
  openScopes.set(task, opened);
  return opened;
}

/** An outer scope that ends before an inner one leaves the inner one to restore what is over. */
function checkOrder(task: Task, bit: GfpScope, saved: GfpScope): void {
  const name = bit === GfpScopeBit.NoIo ? "noio" : "nofs";
  const opened = openScopesOf(task);
  const index = opened.findLastIndex((scope) => scope.bit === bit);
  if (index < 0) invariant(false, `${task.name} ends a ${name} scope that it did not open`);
  if (opened[index]?.saved !== saved) {
    invariant(false, `${task.name} ends an outer ${name} scope before an inner one`);
  }
  opened.splice(index, 1);
}
