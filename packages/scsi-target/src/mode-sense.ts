import type { BlockDevice } from "@blkstack/block";

const CACHING = 0x08;
const ALL_PAGES = 0x3f;
const CACHING_BYTES = 20;

/** Which values of the pages are asked for. */
export const PageControl = { Current: 0, Changeable: 1, Default: 2, Saved: 3 } as const;

/** Whether there is such a mode page; only the caching page is. */
export function hasModePage(page: number, subpage: number): boolean {
  const isPage = page === CACHING || page === ALL_PAGES;
  return isPage && (subpage === 0 || (page === ALL_PAGES && subpage === 0xff));
}

/** MODE SENSE data with the caching page: `headerBytes` is 4 for the short command, 8 for the long. */
export function modeData(device: BlockDevice, control: number, headerBytes: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(headerBytes + CACHING_BYTES);
  // Write protection; and that FUA is understood.
  const specific = (device.isReadOnly ? 0x80 : 0) | 0x10;
  if (headerBytes === 4) bytes.set([bytes.length - 1, 0, specific, 0]);
  else bytes.set([0, bytes.length - 2, 0, specific]);
  bytes.set([CACHING, CACHING_BYTES - 2], headerBytes);
  // Nothing can be changed, so the mask of what can is zero.
  const hasCache = device.queue.limits.hasVolatileCache && control !== PageControl.Changeable;
  bytes[headerBytes + 2] = hasCache ? 0x04 : 0;
  return bytes;
}
