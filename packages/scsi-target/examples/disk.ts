import { type Page, PAGE_BYTES } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, PageAllocator } from "@blkstack/memory";
import { Opcode, ScsiDisk } from "@blkstack/scsi-target";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });
const pages = new PageAllocator({ memory, limitPages: 64, label: "copies" });
const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
const device = new RamDisk({ name: "sda", sizeSectors: 2048, scheduler });
const disk = new ScsiDisk({ device, submitter, memory, pages });

/** A command of 10 bytes: so many blocks from `lba` on. */
function cdb10(opcode: number, lba: number, blocks: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(10));
  view.setUint8(0, opcode);
  view.setUint32(2, lba);
  view.setUint16(7, blocks);
  return new Uint8Array(view.buffer);
}

function page(text: string): Page {
  return { bytes: new TextEncoder().encode(text.padEnd(PAGE_BYTES)), frame: 1 };
}

function hex(byte: number): string {
  return `0x${byte.toString(16)}`;
}

await scheduler.perform("initiator", async (task) => {
  // A block of two halves, which lie apart: the disk gets a copy of both.
  const halves = ["one half, ", "and the other"].map((text) => ({
    page: page(text),
    offset: 0,
    length: 256,
  }));
  const write = { cdb: cdb10(Opcode.Write10, 40, 1), dataOut: halves };
  const { movedBytes } = await disk.execute(write, task);
  console.log(`WRITE: ${String(movedBytes)} bytes`);

  const whole = page("");
  const dataIn = [{ page: whole, offset: 512, length: 512 }];
  await disk.execute({ cdb: cdb10(Opcode.Read10, 40, 1), dataIn }, task);
  const text = new TextDecoder().decode(whole.bytes.subarray(512, 1024));
  console.log(`READ: ${text.replaceAll(/ +/g, " ").trim()}`);

  const { status, sense } = await disk.execute(
    { cdb: cdb10(Opcode.Read10, 2048, 1), dataIn },
    task,
  );
  const [key = 0, code = 0] = [sense?.[2], sense?.[12]];
  console.log(`READ behind the end: status ${hex(status)}, sense key ${hex(key)}, ${hex(code)}`);
});
console.log(`${String(pages.usedPages)} pages in use`);
