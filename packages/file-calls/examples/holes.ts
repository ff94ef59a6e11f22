import { loadFileCalls } from "@blkstack/file-calls";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "holes-"));
const fd = openSync(join(folder, "disk.img"), "w+");
ftruncateSync(fd, 1 << 20);
writeSync(fd, Buffer.alloc(65_536, "data"), 0, 65_536, 131_072);

const calls = await loadFileCalls();
if (calls === null) throw new Error("not on Linux, or without koffi");
const begin = calls.findData(fd, 0);
console.log(`data from ${String(begin)} to ${String(calls.findHole(fd, begin))}`);

const memory = Buffer.alloc(4);
console.log(`read ${String(calls.readCached(fd, memory, 0, 4, begin))} bytes: ${String(memory)}`);

const range = { offsetBytes: begin, lengthBytes: 4096 };
const error = await new Promise((resolve) => {
  calls.punch(fd, range, resolve);
});
console.log(`punched: ${String(error)}, data from ${String(calls.findData(fd, 0))}`);
closeSync(fd);
rmSync(folder, { recursive: true });
