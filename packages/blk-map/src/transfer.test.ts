import { bioEndio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { GFP_KERNEL } from "@blkstack/memory";
import { expect, it } from "vitest";
import { bytesOf, CountingBouncer, entry, highPage, page, Setting } from "../test/setting.ts";
import { type SgList, transferKernSg } from "./index.ts";

/** Transfers while the device ends each round of bios; answers how many bios each round had. */
async function transfer(
  setting: Setting,
  list: SgList,
  statusOf: (round: number) => BioStatus = () => BioStatus.Ok,
): Promise<{ status: BioStatus; rounds: number[] }> {
  const rounds: number[] = [];
  let status = null as BioStatus | null;
  setting.scheduler.spawn("transfer", async (task) => {
    const what = { device: setting.disk, op: BioOp.Read, sector: 0, list };
    status = await transferKernSg(setting.mapper, setting.submitter, what, {
      gfp: GFP_KERNEL,
      task,
    });
  });
  for (let round = 0; round < 20; round += 1) {
    await setting.scheduler.run();
    if (setting.disk.held.length === 0) break;
    rounds.push(setting.disk.held.length);
    setting.disk.end(9, () => statusOf(round));
  }
  if (status === null) throw new Error("the transfer did not end");
  return { status, rounds };
}

const high = (count: number): SgList => Array.from({ length: count }, () => entry(highPage(1)));

it("is one request where there is memory for it", async () => {
  const setting = new Setting({ bouncer: new CountingBouncer(3), vecsPerBio: 1 });
  expect(await transfer(setting, high(3))).toEqual({ status: BioStatus.Ok, rounds: [3] });
});

it("is halved until it fits, each piece after the end of the last one", async () => {
  const bouncer = new CountingBouncer(2);
  const setting = new Setting({ bouncer, vecsPerBio: 1 });
  const list = high(5);
  expect(await transfer(setting, list)).toEqual({ status: BioStatus.Ok, rounds: [2, 2, 1] });
  expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
  expect(bouncer.live).toBe(0);
});

it("a page in one place waits for all that it needs, and may", async () => {
  const bouncer = new CountingBouncer(1);
  const setting = new Setting({ bouncer, vecsPerBio: 1 });
  expect(await transfer(setting, high(2))).toEqual({ status: BioStatus.Ok, rounds: [1, 1] });
  expect(bouncer.asked.slice(-2)).toEqual([
    [true, true],
    [true, true],
  ]);
});

it("stops behind the first error", async () => {
  const setting = new Setting({ bouncer: new CountingBouncer(1), vecsPerBio: 1 });
  const list = high(3);
  const failing = (round: number): BioStatus => (round === 1 ? BioStatus.Medium : BioStatus.Ok);
  expect(await transfer(setting, list, failing)).toEqual({
    status: BioStatus.Medium,
    rounds: [1, 1],
  });
  expect(list.map((each) => each.page.bytes[0])).toEqual([9, 1, 1]);
});

it("is cut to what the device takes in one request, though there is memory for more", async () => {
  const setting = new Setting({ limits: { maxSegments: 2 } });
  const list = Array.from({ length: 7 }, () => entry(page(1)));
  expect(await transfer(setting, list)).toEqual({
    status: BioStatus.Ok,
    rounds: [1, 1, 1, 1, 1, 1, 1],
  });
  expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
});

it("is of whole logical blocks, however it is cut", async () => {
  const limits = {
    maxSegments: 1,
    logicalBlockBytes: 2048,
    physicalBlockBytes: 2048,
    maxHwSectors: 15,
  };
  const setting = new Setting({ limits });
  const sizes: number[] = [];
  const submitter: Submitter = {
    submitBio(bio) {
      sizes.push(bio.sizeBytes);
      bioEndio(bio);
    },
  };
  const list = Array.from({ length: 3 }, () => entry(page(1)));
  const what = { device: setting.disk, op: BioOp.Write, sector: 0, list, flags: BioFlag.Fua };
  await setting.scheduler.perform("transfer", (task) =>
    transferKernSg(setting.mapper, submitter, what, { gfp: GFP_KERNEL, task }),
  );
  expect(sizes).toEqual([4096, 4096, 4096]);
});

it("has all its bios ask for what it asks for", async () => {
  const setting = new Setting({ vecsPerBio: 1 });
  const flags: number[] = [];
  const submitter: Submitter = {
    submitBio(bio) {
      flags.push(bio.flags);
      bioEndio(bio);
    },
  };
  const list = [entry(page(1)), entry(page(1))];
  const what = { device: setting.disk, op: BioOp.Write, sector: 0, list, flags: BioFlag.Fua };
  await setting.scheduler.perform("transfer", (task) =>
    transferKernSg(setting.mapper, submitter, what, { gfp: GFP_KERNEL, task }),
  );
  expect(flags).toEqual([BioFlag.Fua, BioFlag.Fua]);
});

it("with whole blocks, memory in odd pieces is copied even where the device takes it", async () => {
  for (const wholeBlocks of [false, true]) {
    const setting = new Setting({ limits: { dmaAlignmentMask: 0 }, vecsPerBio: 1, wholeBlocks });
    const sizes: number[] = [];
    const submitter: Submitter = {
      submitBio(bio) {
        sizes.push(bio.sizeBytes);
        bioEndio(bio);
      },
    };
    const list = [entry(page(1), 7, 100), entry(page(1), 0, 412)];
    const what = { device: setting.disk, op: BioOp.Write, sector: 0, list };
    await setting.scheduler.perform("transfer", (task) =>
      transferKernSg(setting.mapper, submitter, what, { gfp: GFP_KERNEL, task }),
    );
    expect(sizes).toEqual(wholeBlocks ? [512] : [100, 412]);
  }
});

it("moves odd pieces of memory by copies of a part each, when pages are short", async () => {
  const setting = new Setting();
  const list = [entry(page(1), 3, 4093), entry(page(1)), entry(page(1), 0, 3)];
  const taken = Array.from({ length: 299 }, () => setting.pages.tryAlloc(GFP_KERNEL));
  expect(taken).not.toContain(null);
  expect(await transfer(setting, list)).toEqual({ status: BioStatus.Ok, rounds: [1, 1] });
  expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
});

it("gives up when there is no memory for a sector", async () => {
  const setting = new Setting();
  setting.memory.faultPlan = { fails: () => true };
  expect(await transfer(setting, high(2))).toEqual({ status: BioStatus.Resource, rounds: [] });
});
