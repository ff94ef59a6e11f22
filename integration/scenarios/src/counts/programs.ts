import type { Cell } from "@blkstack/explorer";
import { AccessMode } from "@blkstack/task";
import { type Build, type Program, repeat, type Walker } from "./program.ts";

export interface NamedProgram {
  readonly name: string;
  readonly build: Build;
}

function range(count: number): number[] {
  return [...Array(count).keys()];
}

function cells(program: Program, label: string, count: number): Cell[] {
  return range(count).map((i) => program.cell(`${label}${String(i)}`));
}

async function lockBoth(walker: Walker, first: Cell, second: Cell): Promise<void> {
  await walker.lock(first);
  await walker.lock(second);
  await walker.unlock(second);
  await walker.unlock(first);
}

function mutex(tasks: number): NamedProgram {
  return {
    name: `mutex(${String(tasks)})`,
    build(program) {
      const lock = program.cell("lock");
      for (const i of range(tasks)) {
        program.task(`t${String(i)}`, async (walker) => {
          await walker.lock(lock);
          await walker.unlock(lock);
        });
      }
    },
  };
}

function mutexAndPrivate(tasks: number): NamedProgram {
  return {
    name: `mutex+private(${String(tasks)})`,
    build(program) {
      const lock = program.cell("lock");
      for (const [i, own] of cells(program, "own", tasks).entries()) {
        program.task(`t${String(i)}`, async (walker) => {
          await walker.write(own);
          await walker.lock(lock);
          await walker.unlock(lock);
          await walker.write(own, 2);
        });
      }
    },
  };
}

function independent(tasks: number, steps: number): NamedProgram {
  return {
    name: `independent(${String(tasks)}x${String(steps)})`,
    build(program) {
      for (const [i, own] of cells(program, "own", tasks).entries()) {
        program.task(`t${String(i)}`, async (walker) => {
          for (const value of range(steps)) await walker.write(own, value);
        });
      }
    },
  };
}

function abba(tasks: number): NamedProgram {
  return {
    name: `abba(${String(tasks)})`,
    build(program) {
      const [a, b] = [program.cell("A"), program.cell("B")];
      for (const i of range(tasks)) {
        const [first, second] = i % 2 === 1 ? [b, a] : [a, b];
        program.task(`t${String(i)}`, (walker) => lockBoth(walker, first, second));
      }
    },
  };
}

function philosophers(count: number, isOrdered = false): NamedProgram {
  return {
    name: `phil${isOrdered ? "-ordered" : ""}(${String(count)})`,
    build(program) {
      const forks = cells(program, "fork", count);
      for (const [i, left] of forks.entries()) {
        const right = forks[(i + 1) % count] ?? left;
        const [first, second] = isOrdered && i === count - 1 ? [right, left] : [left, right];
        program.task(`p${String(i)}`, (walker) => lockBoth(walker, first, second));
      }
    },
  };
}

function pool(tasks: number, each: number, size: number, isFine = false): NamedProgram {
  const sizes = `n=${String(tasks)},k=${String(each)},m=${String(size)}`;
  const giving = isFine ? AccessMode.Release : AccessMode.Write;
  return {
    name: `pool(${sizes}${isFine ? ",fine" : ""})`,
    build(program) {
      const elements = program.cell("pool", size);
      for (const i of range(tasks)) {
        program.task(`t${String(i)}`, async (walker) => {
          await repeat(each, () => walker.take(elements));
          await repeat(each, () => walker.give(elements, giving));
        });
      }
    },
  };
}

interface BufferSizes {
  readonly producers: number;
  readonly consumers: number;
  readonly each: number;
  readonly capacity: number;
  readonly isFine?: boolean;
}

function buffer({
  producers,
  consumers,
  each,
  capacity,
  isFine = false,
}: BufferSizes): NamedProgram {
  const sizes = [producers, consumers, each, capacity].map(String);
  const [p, c, k, cap] = sizes as [string, string, string, string];
  const giving = isFine ? AccessMode.Release : AccessMode.Write;
  return {
    name: `buffer(p=${p},c=${c},k=${k},cap=${cap}${isFine ? ",fine" : ""})`,
    build(program) {
      const [slots, items] = [program.cell("slots", capacity), program.cell("items")];
      const move = async (walker: Walker, from: Cell, to: Cell, times: number): Promise<void> => {
        await repeat(times, async () => {
          await walker.take(from);
          await walker.give(to, giving);
        });
      };
      for (const i of range(producers)) {
        program.task(`producer${String(i)}`, (walker) => move(walker, slots, items, each));
      }
      for (const i of range(consumers)) {
        const times = (producers * each) / consumers;
        program.task(`consumer${String(i)}`, (walker) => move(walker, items, slots, times));
      }
    },
  };
}

/** Readers count themselves: their steps commute, but a writer sees how many there are. */
function readersWriters(readers: number, writers: number): NamedProgram {
  return {
    name: `rwlock(r=${String(readers)},w=${String(writers)})`,
    build(program) {
      const held = program.cell("rwsem");
      for (const i of range(readers)) {
        program.task(`r${String(i)}`, async (walker) => {
          await walker.until(held, (value) => value >= 0);
          held.value += 1;
          await walker.read(held);
          held.value -= 1;
        });
      }
      for (const i of range(writers)) {
        program.task(`w${String(i)}`, async (walker) => {
          await walker.lock(held);
          held.value = -1;
          await walker.unlock(held);
        });
      }
    },
  };
}

function bitOf(queue: Cell, i: number): (isSet?: boolean) => boolean {
  return (isSet = false) => {
    if (isSet) queue.value |= 1 << i;
    return (queue.value & (1 << i)) === 0;
  };
}

function waker(program: Program, condition: Cell, queue: Cell): void {
  program.task("waker", async (walker) => {
    await walker.write(condition);
    await walker.write(queue, 0);
  });
}

/** The waiter looks, and then sleeps; the waker may come in between. */
function lostWakeup(waiters: number): NamedProgram {
  return {
    name: `lostWakeup(waiters=${String(waiters)})`,
    build(program) {
      const [condition, queue] = [program.cell("condition"), program.cell("queue")];
      for (const [i, asleep] of cells(program, "asleep", waiters).entries()) {
        const isOff = bitOf(queue, i);
        program.task(`waiter${String(i)}`, async (walker) => {
          if ((await walker.read(condition)) !== 0) {
            walker.at = 3;
            return;
          }
          await walker.step(queue.use(AccessMode.Write, "sleep on"));
          isOff(true);
          asleep.value = 1;
          await walker.until(queue, () => isOff());
          asleep.value = 0;
        });
      }
      waker(program, condition, queue);
    },
  };
}

/** The waiter enqueues before it looks. */
function prepareToWait(waiters: number): NamedProgram {
  return {
    name: `prepareToWait(waiters=${String(waiters)})`,
    build(program) {
      const [condition, queue] = [program.cell("condition"), program.cell("queue")];
      for (const i of range(waiters)) {
        const isOff = bitOf(queue, i);
        program.task(`waiter${String(i)}`, async (walker) => {
          await walker.step(queue.use(AccessMode.Write, "prepare on"));
          isOff(true);
          if ((await walker.read(condition)) === 0) await walker.until(queue, () => isOff());
          walker.at = 3;
          await walker.step(queue.use(AccessMode.Write, "finish on"));
          queue.value &= ~(1 << i);
        });
      }
      waker(program, condition, queue);
    },
  };
}

function racyCounter(tasks: number): NamedProgram {
  return {
    name: `counter(${String(tasks)})`,
    build(program) {
      const counter = program.cell("counter");
      for (const [i, register] of cells(program, "register", tasks).entries()) {
        program.task(`t${String(i)}`, async (walker) => {
          register.value = await walker.read(counter);
          await walker.step(counter.use(AccessMode.Write, "write"));
          counter.value = register.value + 1;
        });
      }
      program.mustNot(() => counter.value !== tasks);
    },
  };
}

function readers(count: number): NamedProgram {
  return {
    name: `readers(${String(count)})`,
    build(program) {
      const x = program.cell("x");
      program.task("writer", (walker) => walker.write(x));
      for (const [i, own] of cells(program, "own", count).entries()) {
        program.task(`r${String(i)}`, async (walker) => {
          await walker.write(own);
          await walker.read(x);
        });
      }
    },
  };
}

function lastZero(count: number): NamedProgram {
  return {
    name: `lastzero(${String(count)})`,
    build(program) {
      const array = cells(program, "a", count + 1);
      const at = program.cell("i", count);
      program.task("scan", async (walker) => {
        for (const cell of array.toReversed()) {
          if ((await walker.read(cell)) === 0) break;
          at.value -= 1;
        }
        walker.at = array.length + 1;
      });
      const registers = cells(program, "register", count);
      for (const [j, register] of registers.entries()) {
        const [from, to] = [array[j], array[j + 1]];
        if (from === undefined || to === undefined) continue;
        program.task(`w${String(j + 1)}`, async (walker) => {
          register.value = await walker.read(from);
          await walker.step(to.use(AccessMode.Write, "write"));
          to.value = register.value + 1;
        });
      }
    },
  };
}

/** Items of an ordered queue are digits of a number, the first one in front. */
function orderedWorkQueue(items: number): NamedProgram {
  return {
    name: `orderedWq(${String(items)})`,
    build(program) {
      const [queue, ran, length] = [
        program.cell("queue"),
        program.cell("ran"),
        program.cell("len"),
      ];
      for (const i of range(items)) {
        program.task(`q${String(i)}`, async (walker) => {
          await walker.step(queue.use(AccessMode.Write, "queue on"));
          queue.value = queue.value * 8 + i + 1;
          length.value += 1;
        });
      }
      program.task("worker", async (walker) => {
        await repeat(items, async () => {
          await walker.step(queue.use(AccessMode.Acquire, "run"), () => length.value > 0);
          const unit = 8 ** (length.value - 1);
          const item = Math.floor(queue.value / unit);
          queue.value -= item * unit;
          length.value -= 1;
          ran.value = ran.value * 8 + item;
        });
      });
    },
  };
}

/** The rows of the table of small programs, and more sizes of the same. */
export const smallPrograms: readonly NamedProgram[] = [
  ...[3, 4, 5, 6, 7].map(mutex),
  ...[3, 4].map(mutexAndPrivate),
  independent(3, 3),
  independent(4, 3),
  ...[2, 3, 4].map(abba),
  ...[2, 3, 4, 5, 6, 7, 8].map((count) => philosophers(count)),
  ...[3, 4, 5].map((count) => philosophers(count, true)),
  ...[false, true].flatMap((isFine) => [
    pool(2, 2, 2, isFine),
    pool(3, 2, 3, isFine),
    pool(2, 2, 3, isFine),
    pool(3, 2, 4, isFine),
    buffer({ producers: 1, consumers: 1, each: 3, capacity: 2, isFine }),
    buffer({ producers: 2, consumers: 2, each: 2, capacity: 1, isFine }),
    buffer({ producers: 2, consumers: 2, each: 2, capacity: 2, isFine }),
  ]),
  readersWriters(2, 1),
  readersWriters(2, 2),
  readersWriters(3, 2),
  readersWriters(4, 3),
  ...[1, 2, 3].map(lostWakeup),
  ...[1, 2, 3].map(prepareToWait),
  ...[2, 3, 4].map(racyCounter),
  readers(2),
  readers(8),
  ...[5, 7, 10].map(lastZero),
  ...[3, 4].map(orderedWorkQueue),
];
