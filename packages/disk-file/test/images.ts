import { SECTOR_BYTES } from "@blkstack/bio";
import { EventLoopScheduler } from "@blkstack/task/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { FileDisk, type FileDiskOptions } from "../src/file-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "disk-file-"));
let count = 0;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A path where nothing is yet. */
export function freshPath(): string {
  count += 1;
  return join(folder, `image-${String(count)}`);
}

/** Makes an image of 400 sectors and opens it. */
export function fileDisk(options: Partial<FileDiskOptions> = {}): Promise<FileDisk> {
  return FileDisk.open({
    name: "f0",
    path: freshPath(),
    scheduler: new EventLoopScheduler(),
    create: true,
    sizeBytes: 400 * SECTOR_BYTES,
    ...options,
  });
}
