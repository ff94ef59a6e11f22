import { execFile } from "node:child_process";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "./median.ts";
import { BLKSTACK, serve, type Served } from "./served.ts";

const run = promisify(execFile);

const IMAGE_BYTES = 1 << 30;
/** A page of data in each: 8192 pieces of data, and as many holes. */
const STEP_BYTES = 128 * 1024;

/** How long `nbdinfo --map` takes on an image of many holes, which both servers serve. */
export async function benchMap(folder: string, rounds: number): Promise<void> {
  const path = sparseImage(folder);
  const [first, second] = [join(folder, "map.sock"), join(folder, "map-nbdkit.sock")];
  const servers: Served[] = [];
  try {
    const ours = [BLKSTACK, "serve", "--file", path, "--listen", `unix:${first}`];
    servers.push(await serve("blkstack", first, ours));
    servers.push(await serve("nbdkit", second, ["nbdkit", "-f", "-U", second, "file", path]));
    const samples = servers.map((): number[] => []);
    let extents = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, { socket }] of servers.entries()) {
        const begun = performance.now();
        const { stdout } = await run("nbdinfo", ["--map", `nbd+unix:///?socket=${socket}`]);
        samples[index]?.push(performance.now() - begun);
        extents = stdout.trim().split("\n").length;
      }
    }
    const [mine = NaN, theirs = NaN] = samples.map((list) => median(list));
    console.log(
      `nbdinfo --map, ${String(extents)} extents: blkstack ${mine.toFixed(0)} ms, ` +
        `nbdkit ${theirs.toFixed(0)} ms`,
    );
  } finally {
    for (const { process } of servers) process.kill("SIGTERM");
  }
}

function sparseImage(folder: string): string {
  const path = join(folder, "sparse.img");
  const fd = openSync(path, "w");
  ftruncateSync(fd, IMAGE_BYTES);
  const page = Buffer.alloc(4096, 0x5a);
  for (let at = 0; at < IMAGE_BYTES; at += STEP_BYTES) writeSync(fd, page, 0, page.length, at);
  closeSync(fd);
  return path;
}
