import { Bio, BioFlag, BioOp, createVecs, statusName } from "@blkstack/bio";
import { LoopDevice } from "@blkstack/loop";
import { openBackingFile } from "@blkstack/loop/node";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { EventLoopScheduler } from "@blkstack/task/node";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = await mkdtemp(join(tmpdir(), "loop-"));
const path = join(folder, "disk.img");
const scheduler = new EventLoopScheduler();
const submitter = new MakeRequest();
const { file } = await openBackingFile({ path, create: true, sizeBytes: 2 ** 20 });
const loop = new LoopDevice({ name: "loop0", scheduler });

scheduler.spawn("user", async (task) => {
  await loop.bind({ file, offsetBytes: 65_536, sizeLimitBytes: 8192 }, task);
  console.log(`${loop.name} has ${String(loop.sizeSectors)} sectors`);
  const bio = new Bio(null, null, createVecs(1));
  bio.vecs = bio.inlineVecs;
  bio.vecMax = 1;
  bio.addPage({ bytes: new TextEncoder().encode("hello".padEnd(512)), frame: 0 }, 512, 0);
  bio.op = BioOp.Write;
  bio.flags = BioFlag.Fua;
  bio.sector = 3;
  bio.device = loop;
  const status = await submitAndWait(submitter, bio, task);
  console.log(`${bio.toString()}, durable: ${statusName(status)}`);
  await loop.unbind(task);
});
await scheduler.idle();
await file.close();
const image = await readFile(path, "latin1");
console.log(`byte 67072 of the file: ${image.slice(67_072, 67_077)}`);
await rm(folder, { recursive: true });
