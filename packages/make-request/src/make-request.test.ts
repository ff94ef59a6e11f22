import { type Bio, bioEndio, bioError, BioFlag, BioList, BioStatus } from "@blkstack/bio";
import { IoKind } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { bioFor, Ends, endAtOnce, Gate, TestDevice } from "../test/test-device.ts";
import { MakeRequest } from "./index.ts";

let scheduler: VirtualScheduler;
let submitter: MakeRequest;
let ends: Ends;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  submitter = new MakeRequest();
  ends = new Ends();
});

/** A device that sends every bio on to the next. */
function passingTo(below: TestDevice, name = "md0"): TestDevice {
  return new TestDevice(name, (bio, task) => {
    bio.device = below;
    return submitter.submitBio(bio, task);
  });
}

function watched(device: TestDevice, name = "bio", wish = {}): Bio {
  return ends.watch(bioFor(device, wish), name);
}

function spawnSubmitting(name: string, bio: Bio): Task {
  return scheduler.spawn(name, (task) => submitter.submitBio(bio, task));
}

function expectNothingParked(task: Task): void {
  expect(task.bioLists).toBeNull();
  expect(task.ownBioLists.isEmpty).toBe(true);
}

describe("submitting", () => {
  it("needs no promise where nothing waits, and may end the bio before it returns", async () => {
    const device = passingTo(passingTo(new TestDevice("sda")), "md1");
    await scheduler.perform("t", (task) => {
      expect(submitter.submitBio(watched(device), task)).toBeUndefined();
      expect(ends.log).toEqual(["bio OK"]);
      expectNothingParked(task);
    });
  });

  it("refuses a bio that is on a list (SUB-1)", async () => {
    const device = new TestDevice("sda");
    const list = new BioList();
    const [first, last] = [watched(device), watched(device)];
    list.add(first);
    list.add(last);
    await scheduler.perform("t", (task) => {
      for (const bio of [first, last]) {
        expect(() => submitter.submitBio(bio, task)).toThrow("still on a list");
      }
    });
  });

  it("is not for holders of a spinlock nor for an endIo, not even to park a bio (SUB-1)", async () => {
    const disk = new TestDevice("sda");
    const submitFrom = (task: Task): void => {
      expect(() => submitter.submitBio(watched(disk), task)).toThrow("sleep in atomic context");
    };
    const top = new TestDevice("md0", (bio, task) => {
      const source = {
        label: "irq",
        blockers: () => [],
        handleInterrupt: () => {
          submitFrom(task);
        },
      };
      scheduler.raise(source, null);
      task.atomicDepth += 1;
      submitFrom(task);
      task.atomicDepth -= 1;
      bioEndio(bio);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(watched(top), task));
    expect(ends.log).toEqual(["bio OK"]);
    expect(disk.seen).toEqual([]);
  });

  it("ends a bio that fails a check at once, even inside another driver's call (SUB-2, SUB-8)", async () => {
    const disk = new TestDevice("sda", endAtOnce, { sizeSectors: 8 });
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(disk, "good"), task);
      await submitter.submitBio(watched(disk, "bad", { sector: 8 }), task);
      ends.log.push("driver returns");
      bioEndio(bio);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(watched(top), task));
    expect(ends.log).toEqual(["bad EIO", "driver returns", "bio OK", "good OK"]);
  });

  it("asks the hook before it parks: a bio that was taken is on no list (SUB-8)", async () => {
    const disk = new TestDevice("sda");
    disk.queue.submitHook = { take: () => true };
    let parked = -1;
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(disk, "throttled"), task);
      parked = task.ownBioLists.current.size;
      bioEndio(bio);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(watched(top), task));
    expect(parked).toBe(0);
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("inside a driver call only parks the bio, and does not wait (SUB-3)", async () => {
    const gate = new Gate();
    const disk = new TestDevice("sda", (bio, task) =>
      gate.pass(task).then(() => {
        bioEndio(bio);
      }),
    );
    const top = new TestDevice("md0", (bio, task) => {
      expect(submitter.submitBio(watched(disk, "below"), task)).toBeUndefined();
      expect(disk.seen).toEqual([]);
      expect([...task.ownBioLists.current]).toHaveLength(1);
      bioEndio(bio);
    });
    spawnSubmitting("t", watched(top));
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK"]);
    gate.open();
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK", "below OK"]);
  });

  it("makes the task the active submitter until nothing is parked any more (SUB-4)", async () => {
    const active: boolean[] = [];
    const note = (bio: Bio, task: Task): void => {
      active.push(task.bioLists === task.ownBioLists);
      bioEndio(bio);
    };
    const disk = new TestDevice("sda", note);
    const top = new TestDevice("md0", async (bio, task) => {
      for (const name of ["a", "b"]) await submitter.submitBio(watched(disk, name), task);
      note(bio, task);
    });
    await scheduler.perform("t", async (task) => {
      expect(task.bioLists).toBeNull();
      await submitter.submitBio(watched(top), task);
      expectNothingParked(task);
    });
    expect(active).toEqual([true, true, true]);
  });

  it("keeps the native stack flat through 10 000 devices (T5.9)", async () => {
    const depths: number[] = [];
    const stackDepth = (): number => (new Error().stack ?? "").split("\n").length;
    let device = new TestDevice("sda", (bio) => {
      depths.push(stackDepth());
      bioEndio(bio);
    });
    const disk = device;
    for (let level = 1; level <= 10_000; level += 1) {
      const below = device;
      device = new TestDevice(`md${String(level)}`, (bio, task) => {
        if (level % 1000 === 0) depths.push(stackDepth());
        bio.device = below;
        return submitter.submitBio(bio, task);
      });
    }
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = Infinity;
    try {
      await scheduler.perform("t", (task) => submitter.submitBio(watched(device), task));
    } finally {
      Error.stackTraceLimit = limit;
    }
    expect(depths).toHaveLength(11);
    expect(new Set(depths).size).toBe(1);
    expect(disk.seen).toHaveLength(1);
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("lets a driver send a bio to itself any finite number of times", async () => {
    let rounds = 0;
    const device: TestDevice = new TestDevice("md0", (bio, task) => {
      rounds += 1;
      if (rounds === 1000) bioEndio(bio);
      else return submitter.submitBio(bio, task);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(watched(device), task));
    expect(rounds).toBe(1000);
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("lets a driver keep the bio and submit nothing", async () => {
    const kept: Bio[] = [];
    const device = new TestDevice("sda", (bio) => void kept.push(bio));
    await scheduler.perform("t", (task) => submitter.submitBio(watched(device), task));
    expect(ends.log).toEqual([]);
    for (const bio of kept) bioError(bio, BioStatus.Medium);
    expect(ends.log).toEqual(["bio ENODATA"]);
  });

  it("keeps the bios of different tasks apart", async () => {
    const gate = new Gate();
    const disk = new TestDevice("sda");
    const slow = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(disk, "below"), task);
      await gate.pass(task);
      bioEndio(bio);
    });
    spawnSubmitting("one", watched(slow, "slow"));
    await scheduler.run();
    await scheduler.perform("two", (task) => submitter.submitBio(watched(disk, "quick"), task));
    expect(ends.log).toEqual(["quick OK"]);
    gate.open();
    await scheduler.run();
    expect(ends.log).toEqual(["quick OK", "slow OK", "below OK"]);
  });
});

describe("while a driver sleeps", () => {
  it("everything parked can be reached through the task, new and older apart (SUB-5)", async () => {
    const gate = new Gate();
    const disk = new TestDevice("sda");
    const sleepy = new TestDevice("md1", async (bio, task) => {
      await submitter.submitBio(watched(disk, "new"), task);
      await gate.pass(task);
      bioEndio(bio);
    });
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(sleepy, "first"), task);
      await submitter.submitBio(watched(disk, "older", { sector: 64 }), task);
      bioEndio(bio);
    });
    const task = spawnSubmitting("t", watched(top));
    await scheduler.run();
    expect(task.bioLists).toBe(task.ownBioLists);
    expect([...task.ownBioLists.current].map(String)).toEqual(["WRITE sda [0..8)"]);
    expect([...task.ownBioLists.older].map(String)).toEqual(["WRITE sda [64..72)"]);
    gate.open();
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK", "first OK", "new OK", "older OK"]);
    expectNothingParked(task);
  });

  it("so it is with a single list, where new bios stand behind the older", async () => {
    submitter = new MakeRequest({ lists: "single" });
    const gate = new Gate();
    const disk = new TestDevice("sda");
    const sleepy = new TestDevice("md1", async (bio, task) => {
      await submitter.submitBio(watched(disk, "new"), task);
      await gate.pass(task);
      bioEndio(bio);
    });
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(sleepy, "first"), task);
      await submitter.submitBio(watched(disk, "older", { sector: 64 }), task);
      bioEndio(bio);
    });
    const task = spawnSubmitting("t", watched(top));
    await scheduler.run();
    expect([...task.ownBioLists.current].map(String)).toEqual([
      "WRITE sda [64..72)",
      "WRITE sda [0..8)",
    ]);
    expect(task.ownBioLists.older.isEmpty).toBe(true);
    gate.open();
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK", "first OK", "older OK", "new OK"]);
  });

  it("a rescuer may take parked bios away, and the submission goes on without them", async () => {
    const gate = new Gate();
    const disk = new TestDevice("sda");
    const sleepy = new TestDevice("md1", async (bio, task) => {
      await gate.pass(task);
      bioEndio(bio);
    });
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(sleepy, "first"), task);
      await submitter.submitBio(watched(disk, "rescued"), task);
      bioEndio(bio);
    });
    const task = spawnSubmitting("t", watched(top));
    await scheduler.run();
    const rescued = task.ownBioLists.older.pop();
    expect(rescued).not.toBeNull();
    if (rescued !== null) {
      await scheduler.perform("rescuer", (self) => submitter.submitBio(rescued, self));
    }
    expect(ends.log).toEqual(["bio OK", "rescued OK"]);
    gate.open();
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK", "rescued OK", "first OK"]);
    expectNothingParked(task);
  });

  it("the bios of a second lower device still wait: the guarantee ends there (SUB-7)", async () => {
    const gate = new Gate();
    const left = new TestDevice("left", async (bio, task) => {
      await gate.pass(task);
      bioEndio(bio);
    });
    const right = new TestDevice("right");
    const mirror = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(left, "left"), task);
      await submitter.submitBio(watched(right, "right"), task);
      bioEndio(bio);
    });
    spawnSubmitting("t", watched(mirror));
    await scheduler.run();
    expect(left.seen).toHaveLength(1);
    expect(right.seen).toEqual([]);
    gate.open();
    await scheduler.run();
    expect(right.seen).toHaveLength(1);
  });
});

describe("a driver with a defect", () => {
  const defect = new Error("off by one");
  const rejecting = async (): Promise<void> => {
    await Promise.resolve();
    throw defect;
  };
  const throwing = (): Awaitable<void> => {
    throw defect;
  };

  it.each([
    ["throws", throwing],
    ["rejects", rejecting],
  ])("that %s is told to the submitter, and spoils nothing else", async (_how, fail) => {
    const broken = new TestDevice("broken", fail);
    const disk = new TestDevice("sda");
    const top = new TestDevice("md0", async (bio, task) => {
      await submitter.submitBio(watched(broken, "lost"), task);
      await submitter.submitBio(watched(disk, "behind"), task);
      bioEndio(bio);
    });
    await scheduler.perform("t", async (task) => {
      await expect((async () => submitter.submitBio(watched(top), task))()).rejects.toBe(defect);
      expectNothingParked(task);
      expect(broken.queue.users).toBe(0);
      expect(top.queue.users).toBe(0);
      // Nobody will start it any more, and whoever waits for it must know.
      expect(ends.log).toEqual(["bio OK", "behind EIO"]);
      await submitter.submitBio(watched(disk, "next"), task);
    });
    expect(ends.log.at(-1)).toBe("next OK");
  });

  it("that throws at once throws at once", async () => {
    await scheduler.perform("t", (task) => {
      const bio = watched(new TestDevice("broken", throwing));
      expect(() => submitter.submitBio(bio, task)).toThrow(defect);
      expectNothingParked(task);
    });
  });
});

describe("a frozen queue (T5.6)", () => {
  const frozen = async (device: TestDevice): Promise<void> => {
    await scheduler.perform("freezer", (task) => device.queue.freeze(task));
  };

  it("makes a bio wait until it is thawed", async () => {
    const device = new TestDevice("sda");
    await frozen(device);
    const task = spawnSubmitting("t", watched(device));
    await scheduler.run();
    expect(device.seen).toEqual([]);
    expect(task.waitingFor).toBe(device.queue);
    device.queue.unfreeze();
    await scheduler.run();
    expect(ends.log).toEqual(["bio OK"]);
    expect(device.queue.users).toBe(0);
    expectNothingParked(task);
  });

  it("sends a bio away that must not wait, and the others go on (SUB-10)", async () => {
    const device = new TestDevice("sda");
    const disk = new TestDevice("sdb");
    await frozen(device);
    const top = new TestDevice("md0", async (bio, task) => {
      const hasty = watched(device, "hasty", { flags: BioFlag.NoWait });
      await submitter.submitBio(hasty, task);
      await submitter.submitBio(watched(disk, "next"), task);
      bioEndio(bio);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(watched(top), task));
    expect(ends.log).toEqual(["bio OK", "hasty EAGAIN", "next OK"]);
  });

  it("of a dying device fails its bios, also those that slept, and the submitter is free", async () => {
    const device = new TestDevice("sda");
    await frozen(device);
    const task = spawnSubmitting("sleeper", watched(device, "sleeper"));
    await scheduler.run();
    await scheduler.perform("remover", (self) => device.queue.markDying(self));
    expect(ends.log).toEqual(["sleeper EIO"]);
    expectNothingParked(task);
    await scheduler.perform("late", async (self) => {
      await submitter.submitBio(watched(device, "late"), self);
      const hasty = watched(device, "hasty", { flags: BioFlag.NoWait });
      await submitter.submitBio(hasty, self);
      expectNothingParked(self);
    });
    expect(ends.log).toEqual(["sleeper EIO", "late EIO", "hasty EIO"]);
    expect(device.seen).toEqual([]);
  });

  it("is entered for the driver call only: a bio that was taken keeps nobody from freezing (SUB-9)", async () => {
    const kept: Bio[] = [];
    const device = new TestDevice("sda", (bio) => void kept.push(bio));
    await scheduler.perform("t", (task) => submitter.submitBio(watched(device), task));
    await frozen(device);
    expect(ends.log).toEqual([]);
    expect(kept).toHaveLength(1);
  });

  it("waits for the drivers inside, and they see it freeze around them (SUB-9)", async () => {
    const gate = new Gate();
    const device = new TestDevice("sda", async (bio, task) => {
      await gate.pass(task);
      bioEndio(bio);
    });
    const inside = spawnSubmitting("t", watched(device));
    await scheduler.run();
    const freezer = scheduler.spawn("freezer", (task) => device.queue.freeze(task));
    await scheduler.run();
    expect(freezer.waitingFor?.blockers()).toEqual([inside]);
    gate.open();
    await scheduler.run();
    expect(freezer.waitingFor).toBeNull();
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("stands still for ever when a driver inside waits for another bio of it (SUB-11)", async () => {
    const end = new Gate("end of the other bio");
    let isFirst = true;
    const device = new TestDevice("md0", async (bio, task) => {
      if (isFirst) {
        isFirst = false;
        await end.pass(task);
      }
      bioEndio(bio);
    });
    const waiting = spawnSubmitting("waiting", watched(device, "first"));
    await scheduler.run();
    const freezer = scheduler.spawn("freezer", (task) => device.queue.freeze(task));
    await scheduler.run();
    const other = bioFor(device);
    other.endIo = () => {
      end.open();
    };
    const late = spawnSubmitting("late", other);
    await scheduler.advance(60_000);

    expect(ends.log).toEqual([]);
    // The report can tell why: late waits for the freezer, the freezer for the driver inside.
    expect(late.waitingFor?.blockers()).toEqual([freezer]);
    expect(freezer.waitingFor?.blockers()).toEqual([waiting]);

    device.queue.unfreeze();
    await scheduler.run();
    expect(ends.log).toEqual(["first OK"]);
  });

  it("may thaw again and again under any schedule, and every bio ends once", async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      scheduler = new VirtualScheduler({ seed });
      ends = new Ends();
      const disk = new TestDevice("sda");
      const top = passingTo(disk);
      for (const name of ["a", "b", "c"]) spawnSubmitting(name, watched(top, name));
      scheduler.spawn("freezer", async (task) => {
        for (const device of [disk, top, disk]) {
          await device.queue.freeze(task);
          expect(device.queue.users).toBe(0);
          device.queue.unfreeze();
        }
      });
      await scheduler.run();
      expect(ends.log.sort()).toEqual(["a OK", "b OK", "c OK"]);
      expect([disk.queue.users, top.queue.users]).toEqual([0, 0]);
    }
  });
});

describe("counting", () => {
  it("is done for each device that it is told of, and only then", async () => {
    submitter = new MakeRequest({ accountClock: scheduler.clock });
    const disk = new TestDevice("sda");
    const device = passingTo(disk);
    submitter.addDevice(device);
    await scheduler.perform("t", (task) => submitter.submitBio(watched(device), task));
    expect(ends.log).toEqual(["bio OK"]);
    expect(device.queue.account?.stats.ios(IoKind.Write)).toBe(1);
    expect(disk.queue.account).toBeNull();
    submitter.addDevice(device);
    expect(device.queue.account?.stats.ios(IoKind.Write)).toBe(1);
  });
});
