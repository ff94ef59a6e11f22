import { mkdtempSync, rmSync, truncateSync, writeFileSync, writeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExtentLayer, findExtent } from "@blkstack/block";
import { EventLoopScheduler } from "@blkstack/task/node";
import { afterAll, expect, it } from "vitest";
import { FileDisk } from "./file-disk.ts";
import { BlankFile, tellsBlocks } from "./blank-file.ts";

const folder = mkdtempSync(join(tmpdir(), "blank-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const scheduler = new EventLoopScheduler();
const DATA = { sectors: 64, flags: 0, layer: ExtentLayer.Only };
const HOLE = { ...DATA, flags: 3 };

function look(disk: FileDisk): typeof DATA {
  const extent = { sectors: 64, flags: 77, layer: ExtentLayer.Only };
  findExtent(disk, 8, extent);
  return extent;
}

it("a new image is one hole until something is written to it, by whomever", async () => {
  const path = join(folder, "new.img");
  const file = { path, create: true, sizeBytes: 65_536, calls: null };
  const disk = await FileDisk.open({ name: "a", scheduler, ...file });
  const known = await tellsBlocks(path);
  expect(look(disk)).toEqual(known ? HOLE : DATA);
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.from("x"), 0, 1, 60_000);
  expect(look(disk)).toEqual(DATA);
  await disk.close();
  expect(look(disk)).toEqual(DATA);
});

it("an image with data anywhere is data everywhere", async () => {
  const path = join(folder, "old.img");
  writeFileSync(path, "data");
  truncateSync(path, 1024 * 1024);
  const disk = await FileDisk.open({ name: "b", path, scheduler, calls: null });
  expect(look(disk)).toEqual(DATA);
  await disk.close();
});

it("a file system that is not known to count is not believed", () => {
  const path = join(folder, "not.img");
  writeFileSync(path, "");
  expect(new BlankFile(openSync(path, "r"), false).isBlank()).toBe(false);
});
