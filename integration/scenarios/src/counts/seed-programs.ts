import type { Cell } from "@blkstack/explorer";
import { AccessMode } from "@blkstack/task";
import { type Program, repeat, type Walker } from "./program.ts";
import type { NamedProgram } from "./programs.ts";

type SplitVariant = "bug" | "submitFirst" | "rescuer";

interface SplitSizes {
  readonly tasks: number;
  readonly pieces: number;
  readonly size: number;
  readonly variant?: SplitVariant;
}

const isOne = (value: number): boolean => value === 1;

/** Each task takes the pieces of a bio from one set; each piece comes back some time after. */
function bioSplit({ tasks, pieces, size, variant = "bug" }: SplitSizes): NamedProgram {
  const sizes = `n=${String(tasks)},k=${String(pieces)},m=${String(size)}`;
  return {
    name: `bioSplit(${sizes},${variant})`,
    build(program) {
      const set = program.cell("bio_set", size);
      for (let task = 0; task < tasks; task += 1) {
        const issued: Cell[] = [];
        for (let j = 0; j < pieces; j += 1) {
          issued.push(program.cell(`issued${String(task)}.${String(j)}`));
        }
        const name = `submitter${String(task)}`;
        if (variant === "rescuer") rescued(program, name, set, issued);
        else if (variant === "submitFirst") program.task(name, (w) => oneByOne(w, set, issued));
        else program.task(name, (walker) => allThenSubmit(walker, set, issued));
        for (const [j, piece] of issued.entries()) {
          program.task(`irq${String(task)}.${String(j)}`, async (walker) => {
            await walker.until(piece, isOne, set.use(AccessMode.Release, "give to"));
            set.value += 1;
          });
        }
      }
    },
  };
}

async function allThenSubmit(walker: Walker, set: Cell, issued: readonly Cell[]): Promise<void> {
  await repeat(issued.length, () => walker.take(set));
  for (const piece of issued) await walker.write(piece);
}

async function oneByOne(walker: Walker, set: Cell, issued: readonly Cell[]): Promise<void> {
  for (const piece of issued) {
    await walker.take(set);
    await walker.write(piece);
  }
}

/** Tries without waiting; if that fails, hands its first piece to the rescuer, and then waits. */
function rescued(program: Program, name: string, set: Cell, issued: readonly Cell[]): void {
  const punted = program.cell(`punted by ${name}`);
  const [first, second] = issued as [Cell, Cell];
  program.service(`rescuer of ${name}`, async (walker) => {
    await walker.until(punted, isOne, first.use(AccessMode.Write, "write"));
    first.value = 1;
  });
  program.task(name, async (walker) => {
    await walker.take(set);
    await walker.step(set.use(AccessMode.Acquire, "try"));
    if (set.value > 0) {
      set.value -= 1;
      walker.at = 4;
      await walker.write(first);
    } else {
      await walker.write(punted);
      await walker.take(set);
      walker.at = 5;
    }
    await walker.write(second);
  });
}

type SnapshotVariant = "none" | "list0" | "both" | "depthFirst";

/** A bio that a snapshot tracks waits on a list while the next one takes the snapshot's lock. */
function snapshot(variant: SnapshotVariant): NamedProgram {
  return {
    name: `snapshot(${variant})`,
    build(program) {
      const [lock, pending] = [program.cell("s.lock"), program.cell("pending")];
      const [issued, punted] = [program.cell("issued"), program.cell("punted")];
      program.task("submitter", async (walker) => {
        if (variant === "depthFirst") {
          await walker.lock(lock);
          await walker.unlock(lock);
          await walker.write(pending);
        } else {
          await walker.write(pending);
          await lockOrOffload(walker, lock, variant === "both" ? punted : null);
          await walker.unlock(lock);
        }
        await walker.step(
          punted.use(AccessMode.Read, "look whether"),
          undefined,
          issued.use(AccessMode.Write, "write"),
        );
        if (punted.value === 0) issued.value = 1;
      });
      program.task("kcopyd", async (walker) => {
        await walker.lock(lock);
        await walker.until(pending, (value) => value === 0);
        await walker.unlock(lock);
      });
      program.task("irq", async (walker) => {
        await walker.until(issued, isOne, pending.use(AccessMode.Write, "end"));
        pending.value = 0;
      });
      if (variant !== "both") return;
      program.service("rescuer", async (walker) => {
        await walker.until(punted, isOne, issued.use(AccessMode.Write, "write"));
        issued.value = 1;
      });
    },
  };
}

async function lockOrOffload(walker: Walker, lock: Cell, punted: Cell | null): Promise<void> {
  const more = punted === null ? [] : [punted.use(AccessMode.Write, "punt")];
  await walker.step(lock.use(AccessMode.Acquire, "try"), undefined, ...more);
  if (lock.value === 0) {
    lock.value = 1;
    walker.at = 3;
    return;
  }
  if (punted !== null) punted.value = 1;
  await walker.lock(lock);
}

/** An allocation under a mutex runs reclaim, which takes the mutex again. */
function reclaim(hogs: number, pages = 1, isFixed = false): NamedProgram {
  const how = isFixed ? "worker" : "bug";
  return {
    name: `reclaimRecursion(hogs=${String(hogs)},pages=${String(pages)},${how})`,
    build(program) {
      const [mutex, free] = [program.cell("pcpu_mutex"), program.cell("pages", pages)];
      program.task("percpu", async (walker) => {
        await walker.lock(mutex);
        await walker.step(free.use(AccessMode.Acquire, "try"));
        if (free.value > 0) {
          free.value -= 1;
          walker.at = 3;
          await walker.give(free, AccessMode.Write);
        } else if (isFixed) {
          await walker.step(NOTHING);
          walker.at = 4;
        } else {
          await walker.lock(mutex);
          await walker.give(free, AccessMode.Write);
        }
        await walker.unlock(mutex);
      });
      addHogs(program, free, hogs);
    },
  };
}

const NOTHING = { object: { label: "nothing" }, mode: AccessMode.Read, label: "goes on" } as const;

/** A file system allocates under its lock; the shrinker waits for a thread that needs the lock. */
function loopFs(hogs: number, variant: "bug" | "noio" = "bug"): NamedProgram {
  return {
    name: `loopFs(hogs=${String(hogs)},${variant})`,
    build(program) {
      const [lock, free] = [program.cell("fs lock"), program.cell("pages", 1)];
      const [asked, done] = [program.cell("asked"), program.cell("done")];
      program.task("fs", async (walker) => {
        await walker.lock(lock);
        await walker.step(free.use(AccessMode.Acquire, "try"));
        if (free.value > 0) {
          free.value -= 1;
          walker.at = 4;
          await walker.give(free, AccessMode.Write);
        } else if (variant === "bug") {
          await walker.write(asked);
          await walker.until(done, isOne);
        }
        walker.at = 5;
        await walker.unlock(lock);
      });
      program.service("loop", async (walker) => {
        await walker.until(asked, isOne);
        await walker.lock(lock);
        await walker.write(done);
        await walker.unlock(lock);
      });
      addHogs(program, free, hogs);
    },
  };
}

function addHogs(program: Program, free: Cell, hogs: number): void {
  for (let hog = 0; hog < hogs; hog += 1) {
    program.task(`hog${String(hog)}`, async (walker) => {
      await walker.take(free);
      await walker.give(free, AccessMode.Write);
    });
  }
}

/** Programs of tasks that may be given a timer by which they ask for memory again. */
export const retryingPrograms: readonly NamedProgram[] = [
  bioSplit({ tasks: 2, pieces: 2, size: 2 }),
  bioSplit({ tasks: 3, pieces: 2, size: 3 }),
  bioSplit({ tasks: 2, pieces: 2, size: 2, variant: "submitFirst" }),
  bioSplit({ tasks: 2, pieces: 2, size: 2, variant: "rescuer" }),
];

/** Whether the task is one that splits bios, by its name. */
export function isSubmitter(taskName: string): boolean {
  return taskName.startsWith("submitter");
}

/** The rows of the table of the five stories and their fixed variants, and more sizes of the same. */
export const seedPrograms: readonly NamedProgram[] = [
  bioSplit({ tasks: 2, pieces: 2, size: 2 }),
  bioSplit({ tasks: 2, pieces: 2, size: 2, variant: "rescuer" }),
  bioSplit({ tasks: 3, pieces: 2, size: 3 }),
  bioSplit({ tasks: 2, pieces: 2, size: 1, variant: "submitFirst" }),
  bioSplit({ tasks: 4, pieces: 2, size: 4 }),
  bioSplit({ tasks: 5, pieces: 2, size: 5 }),
  bioSplit({ tasks: 2, pieces: 3, size: 4 }),
  bioSplit({ tasks: 2, pieces: 2, size: 2, variant: "submitFirst" }),
  bioSplit({ tasks: 1, pieces: 2, size: 1 }),
  snapshot("none"),
  snapshot("list0"),
  snapshot("both"),
  snapshot("depthFirst"),
  ...[1, 2].flatMap((hogs) =>
    [1, 2].flatMap((pages) => [reclaim(hogs, pages), reclaim(hogs, pages, true)]),
  ),
  ...[1, 2].flatMap((hogs) => [loopFs(hogs), loopFs(hogs, "noio")]),
];
