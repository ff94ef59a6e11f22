import type { BlockDevice } from "@blkstack/block";
import { ascii, type ScsiIdentity } from "./identity.ts";

/** The blocks of one WRITE SAME, and the descriptors of one UNMAP, at most: a command is to end. */
export const WRITE_SAME_BLOCKS_MAX = 65_536;
export const UNMAP_DESCRIPTORS_MAX = 256;

const VpdPage = {
  Supported: 0x00,
  Serial: 0x80,
  Identification: 0x83,
  BlockLimits: 0xb0,
  Provisioning: 0xb2,
} as const;

/** Standard INQUIRY data: a disk with command queueing, of SPC-4. */
export function standardInquiry(device: BlockDevice, identity: ScsiIdentity): Uint8Array {
  const { vendor = "blkstack", product = device.name, revision = "1.0" } = identity;
  const bytes = new Uint8Array(36);
  bytes.set([0x00, 0x00, 0x06, 0x02, bytes.length - 5, 0x00, 0x00, 0x02]);
  bytes.set(ascii(vendor, 8), 8);
  bytes.set(ascii(product, 16), 16);
  bytes.set(ascii(revision, 4), 32);
  return bytes;
}

/** A page of vital product data; null: there is no such page. */
export function vitalPage(
  page: number,
  device: BlockDevice,
  identity: ScsiIdentity,
): Uint8Array | null {
  const body = bodyOf(page, device, identity);
  if (body === null) return null;
  return Uint8Array.from([0x00, page, body.length >>> 8, body.length & 0xff, ...body]);
}

function bodyOf(page: number, device: BlockDevice, identity: ScsiIdentity): Uint8Array | null {
  const { serial = device.name, vendor = "blkstack" } = identity;
  switch (page) {
    case VpdPage.Supported:
      return Uint8Array.from(Object.values(VpdPage));
    case VpdPage.Serial:
      return ascii(serial, 20);
    case VpdPage.Identification:
      // One designator: in ASCII, by vendor and serial number, of the logical unit.
      return Uint8Array.from([0x02, 0x01, 0x00, 28, ...ascii(vendor, 8), ...ascii(serial, 20)]);
    case VpdPage.BlockLimits:
      return blockLimits(device);
    case VpdPage.Provisioning:
      return provisioning(device);
    default:
      return null;
  }
}

function blockLimits({ queue }: BlockDevice): Uint8Array {
  const { logicalBlockBytes, ioMinBytes, ioOptBytes } = queue.limits;
  const { maxDiscardSectors, discardGranularityBytes, discardAlignmentBytes } = queue.limits;
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  // WRITE SAME of 0 blocks, which would be all to the end, is not taken.
  bytes[0] = 0x01;
  view.setUint16(2, Math.min(ioMinBytes / logicalBlockBytes, 0xffff));
  view.setUint32(8, ioOptBytes / logicalBlockBytes);
  if (maxDiscardSectors > 0) {
    view.setUint32(16, 0xffff_ffff);
    view.setUint32(20, UNMAP_DESCRIPTORS_MAX);
    view.setUint32(24, discardGranularityBytes / logicalBlockBytes);
    // The highest bit says that the alignment is there.
    view.setUint32(28, 2 ** 31 + discardAlignmentBytes / logicalBlockBytes);
  }
  view.setUint32(36, WRITE_SAME_BLOCKS_MAX);
  return bytes;
}

function provisioning({ queue }: BlockDevice): Uint8Array {
  const canUnmap = queue.limits.maxDiscardSectors > 0;
  const canZero = queue.limits.maxWriteZeroesSectors > 0;
  return Uint8Array.from([0, (canUnmap ? 0x80 : 0) | (canZero ? 0x40 : 0), 0, 0]);
}
