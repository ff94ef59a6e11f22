import { Bio, BioFlag, BioOp, createVecs } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { inspectLog, logWrites, replayLog } from "@blkstack/dm-log-writes";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const data = new RamDisk({ name: "data", sizeSectors: 100, scheduler });
const logDisk = new RamDisk({ name: "log", sizeSectors: 100, scheduler });
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([logWrites]),
  lookup: (name) => (name === "data" ? data : logDisk),
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 log-writes data log" });
  for (const version of [1, 2]) {
    const bio = new Bio();
    bio.device = dm.get("md");
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Fua;
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes: new Uint8Array(512).fill(version), frame: 0 }, 512, 0);
    await submitAndWait(submitter, bio, task);
    await dm.message("md", 0, ["mark", `version-${String(version)}`], task);
  }
  await dm.remove("md", task);
});

const image = new Uint8Array(100 * 512);
logDisk.peek(0, image);
const log = {
  sizeBytes: image.length,
  read(offsetBytes: number, into: Uint8Array): boolean {
    into.set(image.subarray(offsetBytes, offsetBytes + into.length));
    return true;
  },
};
const { entries, marks } = await inspectLog(log);
console.log(`${String(entries)} entries; ${marks.map(({ text }) => text).join(", ")}`);

for (const to of ["version-1", "version-2"]) {
  const disk = new Uint8Array(100 * 512);
  await replayLog(
    log,
    {
      sizeSectors: 100,
      write(sector, bytes) {
        disk.set(bytes, sector * 512);
        return true;
      },
      discard(sector, sectors) {
        disk.fill(0, sector * 512, (sector + sectors) * 512);
        return true;
      },
    },
    { to },
  );
  console.log(`up to ${to} the first byte is ${String(disk[0])}`);
}
