import { BlockError } from "@blkstack/block";
import type { RamDisk } from "@blkstack/disk-ram";
import { snapshot, snapshotMerge, snapshotOrigin } from "@blkstack/dm-snapshot";
import type { CrashImage, Finding, PowerCut } from "@blkstack/explorer";
import type { Scheduler, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { keyOf, originTag, ownTag } from "./contents.ts";
import { entriesOf, orderProblem } from "./cow-device.ts";
import { Machine } from "./machine.ts";
import type { Workload } from "./workloads.ts";

export type DiskMaker = (scheduler: Scheduler) => Readonly<Record<"origin" | "cow", RamDisk>>;

/** What there is to be seen when the devices are made again. */
export interface Recovered {
  /** Contents of the origin and of its snapshot; null: every read fails. */
  readonly base: readonly number[] | null;
  readonly snap: readonly number[] | null;
  /** After the merge has gone on to its end. Null: there is none. */
  readonly merged: readonly number[] | null;
  /** What is wrong with what the store has written down; null: nothing. */
  readonly problem: string | null;
}

/** Makes the devices anew over what a power cut has left. */
export async function recover(
  image: CrashImage,
  workload: Workload,
  makeDisks: DiskMaker,
): Promise<Recovered> {
  const booted = new Booted(image, workload, makeDisks);
  try {
    const seen = await booted.use(async (machine, task) => {
      await machine.createOrigin(task);
      await machine.createSnapshot(task, "snapshot");
      const [base, snap] = [
        await machine.readAll("base", task),
        await machine.readAll("snap", task),
      ];
      return { base, snap };
    });
    // A store is made only now where there was none; one that is marked as invalid has no entries.
    const entries = seen.snap === null ? [] : entriesOf(booted.disks.cow, workload.chunkSectors);
    const problem = orderProblem(entries, workload.chunkSectors);
    if (workload.target === "snapshot") return { ...seen, merged: null, problem };
    const again = new Booted(image, workload, makeDisks);
    await again.use((machine, task) => machine.createSnapshot(task, "snapshot-merge"));
    // Nothing moves any more: all that was left to merge is merged.
    const merged = await again.use((machine, task) => machine.readAll("snap", task));
    const left = entriesOf(again.disks.cow, workload.chunkSectors).length;
    const stuck = left > 0 ? `${String(left)} chunks were not merged` : null;
    return { ...seen, merged, problem: problem ?? stuck };
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    return { base: null, snap: null, merged: null, problem: `not loaded: ${error.message}` };
  }
}

/** What is wrong with that. */
export function complaintAbout(
  seen: Recovered,
  cut: PowerCut,
  workload: Workload,
): Finding | string | null {
  if (seen.problem !== null) return seen.problem;
  if (seen.base === null) return "the origin cannot be read";
  const own = new Set(workload.ownChunks);
  const first = (sector: number): number =>
    own.has(Math.floor(sector / workload.chunkSectors)) ? ownTag(sector) : originTag(sector);
  const isMerge = workload.target === "snapshot-merge";
  const base = isMerge ? null : complaintOf("base", seen.base, cut, originTag);
  if (base !== null) return base;
  if (seen.snap === null) return cut.circumstances === "full" ? null : "the snapshot is lost";
  return (
    complaintOf("snap", seen.snap, cut, first) ??
    (seen.merged === null ? null : complaintOf("snap", seen.merged, cut, first))
  );
}

function complaintOf(
  name: string,
  contents: readonly number[],
  cut: PowerCut,
  first: (sector: number) => number,
): Finding | null {
  const promised = cut.promised(name);
  for (const [sector, content] of contents.entries()) {
    const complaint = promised.complaintAbout(sector, content, keyOf(first(sector)));
    if (complaint !== null) return complaint;
  }
  return null;
}

/** A machine over disks as they were after the cut. */
class Booted {
  readonly disks: ReturnType<DiskMaker>;
  readonly #scheduler = new VirtualScheduler();
  readonly #machine: Machine;

  constructor(image: CrashImage, { chunkSectors }: Workload, makeDisks: DiskMaker) {
    const scheduler = this.#scheduler;
    this.disks = makeDisks(scheduler);
    for (const disk of Object.values(this.disks)) {
      for (const [sector, bytes] of image.sectorsOf(disk.name)) disk.poke(sector, bytes);
    }
    const targets = [snapshot, snapshotOrigin, snapshotMerge];
    this.#machine = new Machine({ scheduler, targets, chunkSectors, ...this.disks });
  }

  /** Waits: until nothing moves any more. */
  use<T>(body: (machine: Machine, task: Task) => Promise<T>): Promise<T> {
    return this.#scheduler.perform("recovery", (task) => body(this.#machine, task));
  }
}
