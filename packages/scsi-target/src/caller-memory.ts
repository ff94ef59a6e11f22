import type { Bytes } from "@blkstack/bio";
import { cutList, type SgList } from "@blkstack/blk-map";

/** Whether each entry of a list lies within its page. */
export function isMemory(list: SgList): boolean {
  return list.every(
    ({ page, offset, length }) =>
      isCount(offset) && isCount(length) && offset + length <= page.bytes.length,
  );
}

/** Copies `bytes`, as far as they fit, over the memory of a list; answers how many did. */
export function fill(list: SgList, bytes: Uint8Array): Bytes {
  let done = 0;
  for (const { page, offset, length } of cutList(list, 0, bytes.length)) {
    page.bytes.set(bytes.subarray(done, done + length), offset);
    done += length;
  }
  return done;
}

/** The first bytes of a list, which has so many. */
export function gather(list: SgList, count: Bytes): Uint8Array {
  const bytes = new Uint8Array(count);
  let done = 0;
  for (const { page, offset, length } of cutList(list, 0, count)) {
    bytes.set(page.bytes.subarray(offset, offset + length), done);
    done += length;
  }
  return bytes;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
