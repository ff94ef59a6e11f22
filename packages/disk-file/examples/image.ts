import { Bio, BioFlag, BioOp, createVecs, statusName } from "@blkstack/bio";
import { FileDisk } from "@blkstack/disk-file";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = await mkdtemp(join(tmpdir(), "image-"));
const path = join(folder, "disk.img");
const scheduler = new EventLoopScheduler();
const submitter = new MakeRequest();
const disk = await FileDisk.open({ name: "d", path, scheduler, create: true, sizeBytes: 1 << 20 });
console.log(`${disk.name} has ${String(disk.sizeSectors)} sectors`);

async function write(task: Task): Promise<void> {
  const bio = new Bio(null, null, createVecs(1));
  bio.vecs = bio.inlineVecs;
  bio.vecMax = 1;
  bio.addPage({ bytes: new TextEncoder().encode("hello".padEnd(512)), frame: 0 }, 512, 0);
  bio.op = BioOp.Write;
  bio.flags = BioFlag.Fua;
  bio.sector = 3;
  bio.device = disk;
  const status = await submitAndWait(submitter, bio, task);
  console.log(`${bio.toString()}, durable: ${statusName(status)}`);
}

await new Promise<void>((resolve) => {
  scheduler.spawn("writer", async (task) => {
    await write(task);
    resolve();
  });
});
await disk.close();
const image = await readFile(path, "latin1");
console.log(`byte 1536 of the file: ${image.slice(1536, 1541)}`);
await rm(folder, { recursive: true });
