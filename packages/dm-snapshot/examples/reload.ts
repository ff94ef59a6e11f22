import { BioStatus } from "@blkstack/bio";
import { type CowIo, ExceptionTable, inspectCow, PersistentStore } from "@blkstack/dm-snapshot";
import { VirtualScheduler } from "@blkstack/task/virtual";

const device = new Uint8Array(1024 * 512);
const io: CowIo = {
  sizeSectors: 1024,
  read(sector, into) {
    into.set(device.subarray(sector * 512, sector * 512 + into.length));
    return BioStatus.Ok;
  },
  write(sector, from) {
    device.set(from, sector * 512);
    return BioStatus.Ok;
  },
};

await new VirtualScheduler().perform("example", async (task) => {
  const store = new PersistentStore({ io, chunkSectors: 8 });
  await store.load(task, () => undefined);

  // Three chunks of the origin are about to be overwritten: their old data goes to the COW device.
  const prepared = [7, 8, 3].map((oldChunk) => ({ oldChunk, newChunk: store.prepare() }));
  for (const { oldChunk, newChunk } of prepared) {
    const onCommitted = (isDurable: boolean): void => {
      console.log(`${String(oldChunk)} lies in ${String(newChunk)}: ${String(isDurable)}`);
    };
    await store.commit({ oldChunk, newChunk, isCopied: true }, { onCommitted }, task);
  }
  console.log(store.statusText());

  const exceptions = new ExceptionTable();
  await new PersistentStore({ io, chunkSectors: 0 }).load(task, (oldChunk, newChunk) => {
    exceptions.insert(oldChunk, newChunk);
  });
  console.log(
    `after a reload: ${String(exceptions.size)}, 8 lies in ${String(exceptions.lookup(8))}`,
  );

  device[0] = 0;
  const report = await inspectCow(io, task);
  for (const { kind, message } of report.problems) console.log(`${kind}: ${message}`);
});
