import { Bio, bioEndio, chainBio } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Ends, TestDevice } from "../test/test-device.ts";
import { fifo, lowerFirst, MakeRequest, type MakeRequestOptions } from "./index.ts";

/** Runs X through T over M over a disk, where every bio becomes two; answers the driver calls. */
async function driverCalls(
  options: MakeRequestOptions,
  driveTop: (stack: Stack, bio: Bio) => Bio[],
): Promise<string> {
  const scheduler = new VirtualScheduler();
  const submitter = new MakeRequest(options);
  const ends = new Ends();
  const stack = new Stack();
  const fanOut =
    (bios: (bio: Bio) => Bio[]): TestDevice["driver"] =>
    async (bio, task) => {
      stack.calls.push(stack.nameOf(bio));
      for (const below of bios(bio)) await submitter.submitBio(below, task);
      bioEndio(bio);
    };
  stack.top.driver = fanOut((bio) => driveTop(stack, bio));
  stack.middle.driver = fanOut((bio) => {
    const number = stack.nameOf(bio).slice(1);
    return [`l${number}1`, `l${number}2`].map((name) => stack.child(name, stack.disk, bio));
  });
  stack.disk.driver = fanOut(() => []);
  await scheduler.perform("submitter", async (task) => {
    await submitter.submitBio(ends.watch(stack.bio("X", stack.top), "X"), task);
    expect(task.bioLists).toBeNull();
    expect(task.ownBioLists.isEmpty).toBe(true);
  });
  expect(ends.log).toEqual(["X OK"]);
  return stack.calls.join(" ");
}

class Stack {
  readonly top = new TestDevice("T");
  readonly middle = new TestDevice("M");
  readonly disk = new TestDevice("disk");
  readonly calls: string[] = [];
  readonly #names = new Map<Bio, string>();

  bio(name: string, device: BlockDevice): Bio {
    const bio = new Bio();
    bio.device = device;
    this.#names.set(bio, name);
    return bio;
  }

  child(name: string, device: BlockDevice, parent: Bio): Bio {
    const child = this.bio(name, device);
    chainBio(child, parent);
    return child;
  }

  nameOf(bio: Bio): string {
    return this.#names.get(bio) ?? "nobody";
  }
}

const bothAtOnce = (stack: Stack, bio: Bio): Bio[] =>
  ["m1", "m2"].map((name) => stack.child(name, stack.middle, bio));

const restToItself = (stack: Stack, bio: Bio): Bio[] =>
  stack.nameOf(bio) === "X"
    ? [stack.child("X'", stack.top, bio), stack.child("m1", stack.middle, bio)]
    : [stack.child("m2", stack.middle, bio)];

describe("a driver that submits both halves at once (T5.1)", () => {
  it("sees them start one after the other with a single list", async () => {
    expect(await driverCalls({ lists: "single" }, bothAtOnce)).toBe("X m1 m2 l11 l12 l21 l22");
  });

  it("sees all of the first half start before the second with two lists", async () => {
    expect(await driverCalls({}, bothAtOnce)).toBe("X m1 l11 l12 m2 l21 l22");
  });
});

describe("a driver that sends the rest to itself first (T5.2)", () => {
  it("is given the rest at once with a single list", async () => {
    expect(await driverCalls({ lists: "single" }, restToItself)).toBe("X X' m1 m2 l11 l12 l21 l22");
  });

  it("is given the rest after all of the first piece with two lists", async () => {
    expect(await driverCalls({}, restToItself)).toBe("X m1 l11 l12 X' m2 l21 l22");
  });
});

describe("an order", () => {
  it("of first come, first served is the same with one list and with two", async () => {
    for (const drive of [bothAtOnce, restToItself]) {
      const two = await driverCalls({ submitOrder: fifo }, drive);
      expect(two).toBe(await driverCalls({ lists: "single" }, drive));
    }
  });

  it("other than that needs two lists", () => {
    expect(() => new MakeRequest({ lists: "single", submitOrder: lowerFirst })).toThrow(
      "a single list cannot be in order lowerFirst",
    );
  });
});
