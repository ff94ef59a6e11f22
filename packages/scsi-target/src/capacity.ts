import type { Medium } from "./medium.ts";

/** READ CAPACITY(10) data; a device that is too large for it says so with the highest number. */
export function capacity10({ blocks, blockBytes }: Medium): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, Math.min(blocks - 1, 0xffff_ffff));
  view.setUint32(4, blockBytes);
  return new Uint8Array(view.buffer);
}

/** READ CAPACITY(16) data. */
export function capacity16({ blocks, blockBytes, device }: Medium): Uint8Array {
  const { physicalBlockBytes, maxDiscardSectors } = device.queue.limits;
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, BigInt(blocks - 1));
  view.setUint32(8, blockBytes);
  view.setUint8(13, Math.min(Math.log2(physicalBlockBytes / blockBytes), 15));
  // Unmapped blocks are promised to be anything.
  view.setUint8(14, maxDiscardSectors > 0 ? 0x80 : 0);
  return new Uint8Array(view.buffer);
}
