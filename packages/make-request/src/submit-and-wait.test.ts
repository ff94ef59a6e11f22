import { type Bio, bioEndio, BioStatus } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { bioFor, Gate, TestDevice } from "../test/test-device.ts";
import { MakeRequest, submitAndWait } from "./index.ts";

let scheduler: VirtualScheduler;
let submitter: MakeRequest;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  submitter = new MakeRequest();
});

describe("waiting for a bio", () => {
  it("is no waiting when it ends at once", async () => {
    const bio = bioFor(new TestDevice("sda"));
    await scheduler.perform("t", (task) => {
      expect(submitAndWait(submitter, bio, task)).toBe(BioStatus.Ok);
    });
  });

  it("answers its status when it has ended, and says for what it waits until then", async () => {
    const kept: Bio[] = [];
    const bio = bioFor(new TestDevice("sda", (late) => void kept.push(late)));
    let status: BioStatus | null = null;
    const task = scheduler.spawn("t", async (self) => {
      status = await submitAndWait(submitter, bio, self);
    });
    await scheduler.run();
    expect(status).toBeNull();
    expect(task.waitingFor?.label).toBe('completion "end of WRITE sda [0..8)"');
    expect(task.waitingFor?.blockers()).toEqual([bio]);
    scheduler.wake(task);
    await scheduler.run();
    expect(status).toBeNull();
    bio.status = BioStatus.Medium;
    bioEndio(bio);
    await scheduler.run();
    expect(status).toBe(BioStatus.Medium);
  });

  it("goes well whether the bio ends before its driver has returned or after", async () => {
    for (const endsFirst of [true, false]) {
      const gate = new Gate();
      const device = new TestDevice("sda", async (bio, task) => {
        if (endsFirst) bioEndio(bio);
        await gate.pass(task);
        if (!endsFirst) bioEndio(bio);
      });
      const waiting = scheduler.perform("t", (task) =>
        submitAndWait(submitter, bioFor(device), task),
      );
      scheduler.spawn("opener", () => {
        gate.open();
      });
      expect(await waiting).toBe(BioStatus.Ok);
    }
  });

  it("goes on after a driver that slept has returned and kept the bio", async () => {
    const gate = new Gate();
    const kept: Bio[] = [];
    const device = new TestDevice("sda", async (bio, task) => {
      await gate.pass(task);
      kept.push(bio);
    });
    let status: BioStatus | null = null;
    scheduler.spawn("t", async (task) => {
      status = await submitAndWait(submitter, bioFor(device), task);
    });
    await scheduler.run();
    gate.open();
    await scheduler.run();
    expect(kept).toHaveLength(1);
    expect(status).toBeNull();
    for (const bio of kept) bioEndio(bio);
    await scheduler.run();
    expect(status).toBe(BioStatus.Ok);
  });

  it("gives the bio back, to be used again", async () => {
    const device = new TestDevice("sda");
    const bio = bioFor(device);
    await scheduler.perform("t", async (task) => {
      for (let round = 0; round < 3; round += 1) {
        expect(await submitAndWait(submitter, bio, task)).toBe(BioStatus.Ok);
      }
    });
    expect(device.seen).toHaveLength(3);
    expect(bio.endIo).toBeNull();
  });

  it("is refused inside a driver call, where it would never end", async () => {
    const disk = new TestDevice("sda");
    const metadata = bioFor(disk, { sector: 64 });
    const top = new TestDevice("md0", (bio, task) => {
      expect(() => submitAndWait(submitter, metadata, task)).toThrow(
        "t would wait for a bio that it parks itself: WRITE sda [64..72)",
      );
      bioEndio(bio);
    });
    await scheduler.perform("t", (task) => submitter.submitBio(bioFor(top), task));
    expect(disk.seen).toEqual([]);
  });

  it("is not for a bio that already tells somebody else", async () => {
    const bio = bioFor(new TestDevice("sda"));
    bio.endIo = () => undefined;
    await scheduler.perform("t", (task) => {
      expect(() => submitAndWait(submitter, bio, task)).toThrow("has an endIo already");
    });
  });
});
