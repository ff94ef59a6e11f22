import { BioStatus } from "@blkstack/bio";
import { failSectors } from "@blkstack/disk-ram";
import { allFail } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { pattern } from "@blkstack/block/testing";
import { Setting } from "../test/setting.ts";

let scheduler: VirtualScheduler;
let setting: Setting;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  setting = new Setting(scheduler);
});

describe("a device as a file", () => {
  it("is as large as the device, and of its blocks", () => {
    const disk = setting.disk("sda", 100);
    const file = setting.fileOf(disk);
    expect(file).toMatchObject({ sizeBytes: 51_200, blockBytes: 512, isReadOnly: false });
    expect(file).toMatchObject({ kind: "block", device: disk, label: "device sda" });
  });

  it("reads and writes where it is told, in as many parts as it is given", () =>
    scheduler.perform("user", async (task) => {
      const disk = setting.disk("sda", 100);
      const file = setting.fileOf(disk);
      const data = pattern(4, 9);
      const parts = [data.subarray(0, 700), data.subarray(700, 701), data.subarray(701)];
      expect(await file.write(parts, 1024, task)).toBe(2048);
      const found = new Uint8Array(2048);
      disk.peek(2, found);
      expect(found).toEqual(data);
      const [front, back] = [new Uint8Array(100), new Uint8Array(1948)];
      expect(await file.read([front, back], 1024, task)).toBe(2048);
      expect(Buffer.concat([front, back])).toEqual(Buffer.from(data));
      expect(await file.sync(task)).toBe(0);
      await file.close(task);
    }));

  it("needs no memory", () =>
    scheduler.perform("user", async (task) => {
      const file = setting.fileOf(setting.disk("sda", 100));
      setting.memory.faultPlan = allFail;
      expect(await file.write([pattern(1, 1)], 0, task)).toBe(512);
    }));

  it("tells how a bio ended as an errno", () =>
    scheduler.perform("user", async (task) => {
      const disk = setting.disk("sda", 100);
      const file = setting.fileOf(disk);
      disk.faults = failSectors({ startSector: 8, sizeSectors: 1, status: BioStatus.Medium });
      expect(await file.read([new Uint8Array(4096)], 4096, task)).toBe(-61);
      expect(await file.write([new Uint8Array(512)], 51_200, task)).toBe(-5);
    }));

  it("has holes and zeroes as far as the device has", () =>
    scheduler.perform("user", async (task) => {
      const disk = setting.disk("sda", 100);
      disk.poke(0, pattern(16, 1));
      const file = setting.fileOf(disk);
      expect(await file.punchHole?.({ offsetBytes: 0, lengthBytes: 512 }, task)).toBe(0);
      expect(await file.zeroRange?.({ offsetBytes: 512, lengthBytes: 512 }, true, task)).toBe(0);
      const found = new Uint8Array(8192);
      disk.peek(0, found);
      expect(found.findIndex((byte) => byte !== 0)).toBeGreaterThanOrEqual(1024);
      const { limits } = disk.queue;
      disk.queue.limits = { ...limits, maxDiscardSectors: 0, maxWriteZeroesSectors: 0 };
      const plain = setting.fileOf(disk);
      expect([plain.punchHole, plain.zeroRange]).toEqual([undefined, undefined]);
      expect(await file.punchHole?.({ offsetBytes: 0, lengthBytes: 512 }, task)).toBe(-95);
    }));
});
