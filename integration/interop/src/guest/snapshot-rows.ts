import { equal } from "node:assert/strict";
import { BLKSTACK } from "../served.ts";
import { succeed } from "../tools.ts";
import type { Place } from "./place.ts";
import type { Row } from "./row.ts";
import { SnapshotImages } from "./snapshot-images.ts";

/** Snapshots that Linux' device-mapper and this project's read and write by turns. */
export const SNAPSHOT_ROWS: readonly Row[] = [
  {
    id: "K04",
    says: "the kernel's snapshot runs on two exports, and we show what it shows",
    check: async (place) => {
      const images = SnapshotImages.make(place, "kernels");
      const seen = await images.writtenByKernel();
      equal(await images.seenByUs(), seen);
      return exceptionsIn(place, images);
    },
  },
  {
    id: "S03",
    says: "the kernel opens a store of ours, and shows what our snapshot shows",
    check: async (place) => {
      const images = SnapshotImages.make(place, "ours");
      const seen = await images.writtenByUs();
      equal(await images.seenByKernel(), seen);
      return exceptionsIn(place, images);
    },
  },
  {
    id: "S05",
    says: "a store of ours, and one of the kernel's, are merged by both to the same origin",
    check: async (place) => {
      const [ours, kernels] = ["ours", "kernels"].map((name) => SnapshotImages.make(place, name));
      if (ours === undefined || kernels === undefined) throw new Error("no images");
      for (const [images, seen] of [
        [ours, await ours.writtenByUs()],
        [kernels, await kernels.writtenByKernel()],
      ] as const) {
        const other = images.copy(`${images.origin}-2`);
        equal(await images.mergedByKernel(), seen);
        equal(await other.mergedByUs(), seen);
      }
      return "four merges, the same bytes";
    },
  },
];

/** How many chunks a store holds, in which nothing may be wrong. */
async function exceptionsIn(place: Place, { store }: SnapshotImages): Promise<string> {
  const told = await succeed(BLKSTACK, ["snapshot", "info", place.bench.path(store)]);
  return `the same bytes; ${/exceptions +(\d+)/.exec(told)?.[1] ?? "no"} exceptions`;
}
