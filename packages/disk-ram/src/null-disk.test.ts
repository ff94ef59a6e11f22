import { BioOp, BioStatus } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { dataOf, ended, planBio } from "@blkstack/block/testing";
import { NullDisk } from "./null-disk.ts";

it("a NullDisk ends everything well and moves nothing", async () => {
  const scheduler = new VirtualScheduler();
  const disk = new NullDisk({ name: "null0", sizeSectors: 8, scheduler });
  for (const op of Object.values(BioOp)) {
    const bio = planBio({ op, sector: 0, sectors: 1 });
    const before = dataOf(bio);
    expect(await ended(disk, bio)).toBe(BioStatus.Ok);
    expect(dataOf(bio)).toEqual(before);
  }
});
