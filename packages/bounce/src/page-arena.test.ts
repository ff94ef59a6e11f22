import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bio, bioEndio, BioOp, createVecs, PAGE_BYTES } from "@blkstack/bio";
import { GFP_NOIO } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { Memory } from "@blkstack/memory";
import { expect, it } from "vitest";
import { alignedIn, Bounce, BouncePages, MUST_SUCCEED, PageArena, standInSet } from "./index.ts";

it("pages of an arena are where direct I/O wants them", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "arena-"));
  const path = join(folder, "image");
  fs.writeFileSync(path, new Uint8Array(4 * PAGE_BYTES).fill(7));
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECT);
  try {
    const arena = new PageArena({ label: "arena", limitPages: 8 });
    for (let taken = arena.tryAlloc(); taken !== null; taken = arena.tryAlloc()) {
      // Two pages' worth in one call, each from its own place.
      const other = new Uint8Array(arena.buffer, 0, PAGE_BYTES);
      expect(fs.readvSync(fd, [taken.bytes, other], 0)).toBe(2 * PAGE_BYTES);
      expect(taken.bytes[0]).toBe(7);
    }
  } finally {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  }
});

it("an arena has as many pages as it was made for, and uses those that come back", () => {
  const arena = new PageArena({ label: "arena", limitPages: 2 });
  const [a, b] = [arena.tryAlloc(), arena.tryAlloc()];
  expect([arena.tryAlloc(), arena.liveCount]).toEqual([null, 2]);
  if (a === null || b === null) throw new Error("no pages");
  arena.free(a);
  expect(arena.tryAlloc()).toBe(a);
  expect(() => {
    arena.free({ bytes: new Uint8Array(PAGE_BYTES), frame: 0 });
  }).toThrow("not its own");
});

it("memory that lies wrong, or is of odd lengths, is packed into as few pages as hold it", async () => {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler });
  const arena = new PageArena({ label: "arena", limitPages: 8 });
  const pages = new BouncePages({ scheduler, label: "pages", source: arena, reserve: 2 });
  const bios = standInSet({ name: "bounce", scheduler, memory });
  const bounce = new Bounce({ reach: alignedIn(arena, 512), pages, bios });
  const bio = new Bio();
  bio.op = BioOp.Write;
  bio.vecs = createVecs(3);
  bio.vecMax = 3;
  const odd = { bytes: Uint8Array.from({ length: 8192 }, (_, at) => at % 251), frame: 0 };
  bio.addPage(odd, 100, 3);
  bio.addPage(odd, 4096, 200);
  bio.addPage(odd, 412, 5000);
  const standIn = await scheduler.perform("mapper", (task) =>
    bounce.bounce(bio, MUST_SUCCEED, task),
  );
  if (standIn === null) throw new Error("no stand-in");
  expect(standIn.vecs.slice(0, standIn.vecCount)).toMatchObject([
    { offset: 0, length: 4096 },
    { offset: 0, length: 512 },
  ]);
  expect(standIn.vecs[0]?.page.bytes[100]).toBe(odd.bytes[200]);
  expect(standIn.vecs[1]?.page.bytes[100]).toBe(odd.bytes[5000]);
  expect(bounce.needs(standIn)).toBe(false);
  bioEndio(standIn);
  expect(pages.pool.currNr).toBe(2);
  await scheduler.perform("mapper", async (task) => {
    const page = await pages.alloc(GFP_NOIO, task);
    const aligned = { bytes: page?.bytes ?? odd.bytes, frame: 0 };
    const plain = new Bio();
    plain.vecs = createVecs(1);
    plain.vecMax = 1;
    plain.addPage(aligned, 1024, 512);
    expect(bounce.needs(plain)).toBe(false);
    plain.advance(512 + 8);
    expect(bounce.needs(plain)).toBe(true);
  });
});
