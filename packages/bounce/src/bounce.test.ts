import { dataOf } from "@blkstack/block/testing";
import {
  type Bio,
  bioEndio,
  bioError,
  BioOp,
  BioStatus,
  chainBio,
  PAGE_BYTES,
} from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { isPending, type Task } from "@blkstack/task";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bioOver, deviceReads, highPage, page, Setting, TOP_FRAME } from "../test/setting.ts";
import { BounceInTurn, FAILABLE, FIRST_MAY_WAIT, framesUpTo, MUST_SUCCEED } from "./index.ts";

const PATIENCES = [MUST_SUCCEED, FAILABLE, FIRST_MAY_WAIT];

/** Bounces with memory enough. */
async function bounced(setting: Setting, bio: Bio): Promise<Bio> {
  const standIn = await setting.scheduler.perform("mapper", (task) =>
    setting.bounce.bounce(bio, MUST_SUCCEED, task),
  );
  if (standIn === null) throw new Error("a bounce failed that may wait");
  return standIn;
}

/** All that a bounce could have changed. */
function lookOf(bio: Bio): object {
  const { sector, sizeBytes, vecIndex, vecDoneBytes, state, status, private: owner } = bio;
  const vecs = bio.vecs.map((vec) => ({ ...vec }));
  return { sector, sizeBytes, vecIndex, vecDoneBytes, state, status, owner, vecs };
}

describe("what is out of reach", () => {
  it("is the frame behind the last one that the device reaches, not that one itself", async () => {
    const setting = new Setting();
    const last = bioOver(BioOp.Write, [page(TOP_FRAME)]);
    const beyond = bioOver(BioOp.Write, [page(TOP_FRAME + 1)]);
    expect(await bounced(setting, last)).toBe(last);
    expect(await bounced(setting, beyond)).not.toBe(beyond);
  });

  it("is the end of a page object of several frames, when only that lies too high", async () => {
    const setting = new Setting();
    const straddling = { bytes: new Uint8Array(2 * PAGE_BYTES), frame: TOP_FRAME };
    const first = bioOver(BioOp.Write, [straddling, PAGE_BYTES, 0]);
    const both = bioOver(BioOp.Write, [straddling, PAGE_BYTES, 512]);
    expect(await bounced(setting, first)).toBe(first);
    const standIn = await bounced(setting, both);
    expect(standIn.vecs.slice(0, standIn.vecCount)).toMatchObject([
      { page: straddling, offset: 512, length: PAGE_BYTES - 512 },
      { offset: 0, length: 512 },
    ]);
  });

  it("is nothing where the device reaches the highest frame there is, or a bio moves no data", async () => {
    const everything = new Setting({ reach: framesUpTo(5000, 5000) });
    const high = bioOver(BioOp.Write, [page(9999)]);
    expect(await bounced(everything, high)).toBe(high);
    const discard = bioOver(BioOp.Discard, [highPage()]);
    expect(await bounced(new Setting(), discard)).toBe(discard);
  });
});

describe("a stand-in", () => {
  it("brings written data along in one page, where one of three is too high", async () => {
    const setting = new Setting();
    const bio = bioOver(BioOp.Write, [page(1, 1)], [highPage(2), 1024, 512], [page(3, 3)]);
    const before = dataOf(bio);
    setting.exhaustMemory();
    const standIn = await bounced(setting, bio);
    expect(setting.pages.pool.currNr).toBe(63);
    expect(standIn).toMatchObject({ sector: 40, sizeBytes: bio.sizeBytes, op: BioOp.Write });
    expect(dataOf(standIn)).toEqual(before);
    expect(standIn.vecs[0]?.page).toBe(bio.vecs[0]?.page);
    expect(standIn.vecs[1]).toMatchObject({ offset: 512, length: 1024 });
    bioEndio(standIn);
    expect(bio.ends).toEqual([BioStatus.Ok]);
    expect(setting.missing).toEqual({ pages: 0, bios: 0 });
  });

  it("has what was read where it belongs before the bio ends", async () => {
    const setting = new Setting();
    const high = highPage(9);
    const bio = bioOver(BioOp.Read, [high, 512, 1024]);
    let seenAtTheEnd: number | undefined;
    bio.endIo = () => {
      seenAtTheEnd = high.bytes[1024];
    };
    const standIn = await bounced(setting, bio);
    deviceReads(standIn, 7);
    // A device goes on in the bio as it reads.
    standIn.advance(512);
    bioEndio(standIn);
    expect(seenAtTheEnd).toBe(7);
    expect([high.bytes[1023], high.bytes[1535], high.bytes[1536]]).toEqual([9, 7, 9]);
    expect(setting.missing).toEqual({ pages: 0, bios: 0 });
  });

  it("leaves memory alone when the read failed, and passes the error on", async () => {
    const setting = new Setting();
    const high = highPage(9);
    const bio = bioOver(BioOp.Read, [high]);
    const standIn = await bounced(setting, bio);
    deviceReads(standIn, 7);
    bioError(standIn, BioStatus.Medium);
    expect(bio.ends).toEqual([BioStatus.Medium]);
    expect(high.bytes.every((byte) => byte === 9)).toBe(true);
  });

  it("that is never issued ends with an error, and leaves no trace in the memory of the reader", async () => {
    const setting = new Setting();
    const high = highPage(9);
    const bio = bioOver(BioOp.Read, [high]);
    bioError(await bounced(setting, bio), BioStatus.Resource);
    expect(bio.ends).toEqual([BioStatus.Resource]);
    expect(high.bytes.every((byte) => byte === 9)).toBe(true);
    expect(setting.missing).toEqual({ pages: 0, bios: 0 });
  });

  it("stands for what is left of a bio that was served in part", async () => {
    const setting = new Setting();
    const bio = bioOver(BioOp.Read, [highPage(1)], [highPage(2)]);
    bio.advance(PAGE_BYTES + 512);
    const standIn = await bounced(setting, bio);
    expect(standIn).toMatchObject({ sector: bio.sector, sizeBytes: PAGE_BYTES - 512 });
    deviceReads(standIn, 7);
    bioEndio(standIn);
    expect([bio.vecs[0]?.page.bytes[0], bio.vecs[1]?.page.bytes[511]]).toEqual([1, 2]);
    expect(bio.vecs[1]?.page.bytes[512]).toBe(7);
  });

  it("has a page for each mention of one page; the last one read counts", async () => {
    const setting = new Setting();
    const high = highPage();
    const bio = bioOver(BioOp.Read, [high, 512, 0], [page(1), 512], [high, 512, 0]);
    const standIn = await bounced(setting, bio);
    expect(standIn.vecs[0]?.page).not.toBe(standIn.vecs[2]?.page);
    standIn.vecs[0]?.page.bytes.fill(1);
    standIn.vecs[2]?.page.bytes.fill(2);
    bioEndio(standIn);
    expect(high.bytes[0]).toBe(2);
  });

  it("is in reach itself, and is not bounced again", async () => {
    const setting = new Setting();
    const standIn = await bounced(setting, bioOver(BioOp.Write, [highPage()]));
    expect(await bounced(setting, standIn)).toBe(standIn);
  });
});

describe("a bio of more than 256 pieces", () => {
  it("is cut: its front is bounced, the rest is submitted, and it ends when both have", async () => {
    const submitted: Bio[] = [];
    const submitter = {
      submitBio(bio: Bio): void {
        submitted.push(bio);
      },
    };
    const probe = new Setting();
    const set = new BioSet({
      name: "cut",
      scheduler: probe.scheduler,
      memory: probe.memory,
      poolSize: 1,
    });
    const setting = new Setting({ cut: { set, submitter }, reserve: 300 });
    const high = highPage(5);
    // Every second sector of one page, so that no two of them are one piece.
    const stretches = Array.from(
      { length: 300 },
      (_, index) => [high, 512, (index % 4) * 1024] as const,
    );
    const bio = bioOver(BioOp.Write, ...stretches);
    const standIn = await bounced(setting, bio);
    expect(standIn.sectors).toBe(256);
    expect(submitted).toEqual([bio]);
    expect(bio).toMatchObject({ sector: 40 + 256, sectors: 44 });
    bioError(standIn, BioStatus.Medium);
    expect(bio.ends).toEqual([]);
    bioEndio(bio);
    expect(bio.ends).toEqual([BioStatus.Medium]);
    expect(set.bioPool.liveCount).toBe(0);
    expect(setting.missing).toEqual({ pages: 0, bios: 0 });
  });
});

describe("with no memory", () => {
  it.each([
    [2, "waits for ever", true],
    [3, "is bounced", false],
  ])("and %i stand-ins, a request of 3 bios %s", async (standIns, _what, isStuck) => {
    const setting = new Setting({ standIns });
    setting.exhaustMemory();
    let done = 0;
    setting.scheduler.spawn("mapper", async (task) => {
      for (let each = 0; each < 3; each += 1) {
        await setting.bounce.bounce(bioOver(BioOp.Write, [highPage()]), MUST_SUCCEED, task);
        done += 1;
      }
    });
    await setting.scheduler.advance(20_000);
    expect(done).toBe(isStuck ? 2 : 3);
  });

  it("one bio of 65 high pages waits for ever for the 65th, however many stand-ins there are", async () => {
    const setting = new Setting({ standIns: 100 });
    setting.exhaustMemory();
    const bio = bioOver(BioOp.Write, ...Array.from({ length: 65 }, () => [highPage()] as const));
    let isDone = false;
    setting.scheduler.spawn("mapper", async (task) => {
      await setting.bounce.bounce(bio, MUST_SUCCEED, task);
      isDone = true;
    });
    await setting.scheduler.advance(20_000);
    expect({ isDone, inReserve: setting.pages.pool.currNr }).toEqual({
      isDone: false,
      inReserve: 0,
    });
  });

  it.each([FAILABLE, FIRST_MAY_WAIT])(
    "a bounce that may fail gives all 64 pages back and leaves the bio as it was",
    async (patience) => {
      const setting = new Setting();
      setting.exhaustMemory();
      const bio = bioOver(BioOp.Write, ...Array.from({ length: 65 }, () => [highPage(4)] as const));
      const before = lookOf(bio);
      const answer = await setting.scheduler.perform("mapper", (task) =>
        setting.bounce.bounce(bio, patience, task),
      );
      expect(answer).toBeNull();
      expect(lookOf(bio)).toEqual(before);
      expect(setting.missing).toEqual({ pages: 0, bios: 0 });
    },
  );

  it("a bounce whose first element may wait does so until a stand-in comes back", async () => {
    const setting = new Setting({ standIns: 1 });
    setting.exhaustMemory();
    const answers: (Bio | null)[] = [];
    const map = (name: string): Task =>
      setting.scheduler.spawn(name, async (task) => {
        answers.push(
          await setting.bounce.bounce(bioOver(BioOp.Write, [highPage()]), FIRST_MAY_WAIT, task),
        );
      });
    map("first");
    map("second");
    await setting.scheduler.run();
    expect(answers).toHaveLength(1);
    if (answers[0] !== null && answers[0] !== undefined) bioEndio(answers[0]);
    await setting.scheduler.run();
    expect(answers[1]).not.toBeNull();
  });

  it("whichever attempt to get memory fails, nothing is lost, and a later attempt succeeds", async () => {
    for (let failing = 1; failing <= 12; failing += 1) {
      const setting = new Setting({ reserve: 1, standIns: 1 });
      // The reserves are taken by somebody else, so that each failing attempt is felt.
      setting.exhaustMemory();
      const others = await bounced(setting, bioOver(BioOp.Write, [highPage()]));
      let attempts = 0;
      setting.memory.faultPlan = { fails: () => (attempts += 1) === failing };
      const bio = bioOver(BioOp.Write, ...Array.from({ length: 6 }, () => [highPage(3)] as const));
      const before = dataOf(bio);
      const first = await setting.scheduler.perform("mapper", (task) =>
        setting.bounce.bounce(bio, FAILABLE, task),
      );
      if (first === null) expect(setting.pages.pool.liveCount).toBe(1);
      const standIn = first ?? (await bounced(setting, bio));
      expect(dataOf(standIn)).toEqual(before);
      bioEndio(standIn);
      bioEndio(others);
      expect(bio.ends).toEqual([BioStatus.Ok]);
      setting.memory.faultPlan = null;
      expect(setting.missing).toEqual({ pages: 0, bios: 0 });
    }
  });
});

it("tasks that bounce in turn need no more than one bio needs", async () => {
  const setting = new Setting({ reserve: 3, standIns: 1 });
  setting.exhaustMemory();
  const inTurn = new BounceInTurn(setting.bounce, "sda");
  const ended: string[] = [];
  const inFlight: Bio[] = [];
  for (const name of ["a", "b", "c"]) {
    setting.scheduler.spawn(name, async (task) => {
      const bio = bioOver(BioOp.Write, [highPage()], [highPage()], [highPage()]);
      bio.endIo = () => {
        ended.push(name);
      };
      inFlight.push(await inTurn.bounce(bio, task));
    });
  }
  for (let round = 0; round < 3; round += 1) {
    await setting.scheduler.run();
    const standIn = inFlight.pop();
    if (standIn !== undefined) bioEndio(standIn);
  }
  expect(ended.sort()).toEqual(["a", "b", "c"]);
  expect(setting.missing).toEqual({ pages: 0, bios: 0 });
});

it("whatever the pieces, a stand-in has the same data, and nothing is left behind", async () => {
  const stretch = fc.record({
    isHigh: fc.boolean(),
    at: fc.integer({ min: 0, max: 7 }),
    length: fc.integer({ min: 1, max: 8 }),
  });
  const wish = fc.record({
    stretches: fc.array(stretch, { minLength: 1, maxLength: 12 }),
    isRead: fc.boolean(),
    patience: fc.constantFrom(...PATIENCES),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(wish, async ({ stretches, isRead, patience, fails }) => {
      const setting = new Setting({ reserve: 4 });
      const places = stretches.map(({ isHigh, at, length }, index) => {
        const memory = {
          bytes: new Uint8Array(2 * PAGE_BYTES).fill(index),
          frame: isHigh ? 5000 : 4,
        };
        return [memory, length * 512, at * 512] as const;
      });
      const bio = bioOver(isRead ? BioOp.Read : BioOp.Write, ...places);
      const before = dataOf(bio);
      const standIn = await setting.scheduler.perform("mapper", (task) =>
        setting.bounce.bounce(bio, patience, task),
      );
      if (standIn === null) throw new Error("no memory, although there is");
      expect(standIn.sizeBytes).toBe(bio.sizeBytes);
      if (isRead) deviceReads(standIn, 0xaa);
      else expect(dataOf(standIn)).toEqual(before);
      if (fails) standIn.status = BioStatus.IoError;
      if (standIn !== bio) bioEndio(standIn);
      if (isRead && !fails) expect(dataOf(bio).every((byte) => byte === 0xaa)).toBe(true);
      expect(setting.missing).toEqual({ pages: 0, bios: 0 });
    }),
    { numRuns: 50 },
  );
});

it("a bio that others wait for keeps the first error that it saw", async () => {
  const setting = new Setting();
  const parent = bioOver(BioOp.Write, [page(1)]);
  const child = bioOver(BioOp.Write, [highPage()]);
  child.endIo = null;
  chainBio(child, parent);
  const standIn = await bounced(setting, child);
  bioError(standIn, BioStatus.NoSpace);
  bioEndio(parent);
  expect(parent.ends).toEqual([BioStatus.NoSpace]);
});

it("nothing waits, and so no promise is made, where there is memory", async () => {
  const setting = new Setting();
  await setting.scheduler.perform("mapper", (task) => {
    const low = bioOver(BioOp.Write, [page(1)]);
    expect(isPending(setting.bounce.bounce(low, MUST_SUCCEED, task))).toBe(false);
  });
});
