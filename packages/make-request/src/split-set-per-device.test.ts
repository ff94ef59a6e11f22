import { InvariantError } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { allFail, Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { TestDevice } from "../test/test-device.ts";
import { MakeRequest, SplitSetPerDevice } from "./index.ts";

let scheduler: VirtualScheduler;
let memory: Memory;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  memory = new Memory({ scheduler });
});

function submitterWith(poolSize?: number): MakeRequest {
  const options = { scheduler, memory, ...(poolSize !== undefined && { poolSize }) };
  return new MakeRequest({ split: new SplitSetPerDevice(options) });
}

/** The pools before the memory, and how many elements each has. */
function reserves(): Record<string, number> {
  return Object.fromEntries([...memory.reserves].map(({ label, currNr }) => [label, currNr]));
}

describe("a device whose bios are cut", () => {
  it("has fronts of its own in reserve from when it is added until it goes", async () => {
    const submitter = submitterWith();
    const [sda, sdb] = [new TestDevice("sda"), new TestDevice("sdb")];
    submitter.addDevice(sda);
    submitter.addDevice(sda);
    submitter.addDevice(sdb);
    expect(reserves()).toEqual({ 'bio_set "split of sda"': 2, 'bio_set "split of sdb"': 2 });
    await scheduler.perform("t", async (task) => {
      await submitter.removeDevice(sda, task);
    });
    expect(reserves()).toEqual({ 'bio_set "split of sdb"': 2 });
  });

  it("has as many as are wanted", () => {
    submitterWith(5).addDevice(new TestDevice("sda"));
    expect(reserves()).toEqual({ 'bio_set "split of sda"': 5 });
  });

  it("cannot be added without memory for them, and can be as soon as there is some", () => {
    const submitter = submitterWith();
    const sda = new TestDevice("sda");
    memory.faultPlan = allFail;
    expect(() => {
      submitter.addDevice(sda);
    }).toThrow(
      expect.objectContaining({
        code: "BLK_STATE",
        errno: "ENOMEM",
        message: "there is no memory to cut bios to sda",
      }),
    );
    memory.faultPlan = null;
    submitter.addDevice(sda);
    expect(memory.reserves.size).toBe(1);
  });

  it("is refused a reserve of nothing, which no memory could help", () => {
    const submitter = submitterWith(0);
    expect(() => {
      submitter.addDevice(new TestDevice("sda"));
    }).toThrow(InvariantError);
  });

  it("may go without ever having been added", async () => {
    const submitter = submitterWith();
    await scheduler.perform("t", async (task) => {
      await submitter.removeDevice(new TestDevice("sda"), task);
    });
    expect(reserves()).toEqual({});
  });
});

it("one set for all devices stays when a device goes", async () => {
  const set = new BioSet({ name: "fronts", scheduler, memory, poolSize: 1 });
  const submitter = new MakeRequest({ split: { set } });
  const sda = new TestDevice("sda");
  submitter.addDevice(sda);
  await scheduler.perform("t", async (task) => {
    await submitter.removeDevice(sda, task);
  });
  expect(reserves()).toEqual({ 'bio_set "fronts"': 1 });
});
