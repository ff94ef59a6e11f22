import { AccessMode } from "@blkstack/task";
import type { Cell } from "../src/cell.ts";
import { type Model, type ModelOp, Op } from "./models.ts";

const { lock, unlock } = Op;

/** Each takes the fork on its left, then the one on its right. */
export function philosophers(count: number): Model {
  return (m) => {
    const forks = Array.from({ length: count }, (_, i) => m.cell(`fork${String(i)}`));
    for (const [i, left] of forks.entries()) {
      const right = forks[(i + 1) % count] ?? left;
      m.task(`p${String(i)}`, [lock(left), lock(right), unlock(right), unlock(left)]);
    }
  };
}

/** The waiter looks, and then sleeps; the waker may come in between. */
export const lostWakeup: Model = (m) => {
  const [condition, queue] = [m.cell("condition"), m.cell("queue")];
  m.task("waiter", [
    Op.read("check", condition, (seen) => (seen === 0 ? "next" : "end")),
    Op.always("sleep", queue, () => (queue.value = 1)),
    Op.guarded("resume", queue, () => queue.value === 0),
  ]);
  m.task("waker", [Op.write(condition, 1), Op.always("wake", queue, () => (queue.value = 0))]);
};

/** Each takes all its elements one by one, and then gives them back. */
export function pool(tasks: number, each: number, size: number): Model {
  return (m) => {
    const elements = m.cell("pool", size);
    for (let task = 0; task < tasks; task += 1) {
      const ops: ModelOp[] = [];
      for (let i = 0; i < each; i += 1) ops.push(Op.take(elements));
      for (let i = 0; i < each; i += 1) ops.push(Op.give(elements));
      m.task(`t${String(task)}`, ops);
    }
  };
}

/** An allocation under a mutex finds no memory, and its reclaim takes the mutex again. */
export const reclaim: Model = (m) => {
  const [mutex, pages] = [m.cell("pcpu_mutex"), m.cell("pages", 1)];
  m.task("percpu", [
    lock(mutex),
    tryTo("take from", pages, 0),
    lock(mutex),
    Op.give(pages),
    unlock(mutex),
  ]);
  m.task("hog", [Op.take(pages), Op.give(pages)]);
};

/** A copy waits, under the lock of a snapshot, for a write that waits for the lock to be submitted. */
export const snapshot: Model = (m) => {
  const [held, pending, issued] = [m.cell("lock"), m.cell("pending"), m.cell("issued")];
  m.task("submitter", [
    Op.write(pending, 1),
    tryTo("lock", held, 1),
    lock(held),
    unlock(held),
    Op.write(issued, 1),
  ]);
  m.task("kcopyd", [lock(held), Op.guarded("wait for", pending, isZero(pending)), unlock(held)]);
  m.task("irq", [
    Op.guarded(
      "end",
      issued,
      () => issued.value === 1,
      () => (pending.value = 0),
    ),
  ]);
};

function isZero(cell: Cell): () => boolean {
  return () => cell.value === 0;
}

/** Brings a 1 to 0, or a 0 to 1; the next step is for when that cannot be done. */
function tryTo(verb: string, cell: Cell, target: 0 | 1): ModelOp {
  return {
    access: cell.use(AccessMode.Write, `try to ${verb}`),
    guard: undefined,
    apply() {
      if (cell.value === target) return "next";
      cell.value = target;
      return "skip";
    },
  };
}
