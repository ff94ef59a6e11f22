import { type Bytes, type Page, PAGE_BYTES } from "@blkstack/bio";

/** One stretch of our own memory: `length` bytes from `offset` of `page`, over several frames if need be. */
export interface SgEntry {
  readonly page: Page;
  readonly offset: Bytes;
  readonly length: Bytes;
}

/** The memory of a request, in the order of its data. */
export type SgList = readonly SgEntry[];

export function totalBytes(list: SgList): Bytes {
  return list.reduce((total, { length }) => total + length, 0);
}

/** The part of a list that is `bytes` long and begins `from` bytes behind its first byte. */
export function cutList(list: SgList, from: Bytes, bytes: Bytes): SgEntry[] {
  const part: SgEntry[] = [];
  let skip = from;
  let left = bytes;
  for (const { page, offset, length } of list) {
    const taken = Math.min(length - skip, left);
    if (taken > 0) part.push({ page, offset: offset + skip, length: taken });
    left -= Math.max(taken, 0);
    skip = Math.max(skip - length, 0);
  }
  return part;
}

/** The stretches of a list, none of them over a frame's end. */
export function* pieces(list: SgList): IterableIterator<SgEntry> {
  for (const { page, offset, length } of list) {
    const end = offset + length;
    for (let at = offset; at < end;) {
      const untilFrame = PAGE_BYTES - (at % PAGE_BYTES);
      const pieceBytes = Math.min(end - at, untilFrame);
      yield { page, offset: at, length: pieceBytes };
      at += pieceBytes;
    }
  }
}

/** Whether every entry begins, and all but the last end, at a multiple of `mask` plus one. */
export function isAligned(list: SgList, mask: number): boolean {
  return list.every(
    ({ offset, length }, index) =>
      offset % (mask + 1) === 0 && (index === list.length - 1 || length % (mask + 1) === 0),
  );
}

/** Copies `list`, from its first byte on, over `memory`; or `memory` over `list`, as far as it goes. */
export function copyBetween(list: SgList, memory: readonly Uint8Array[], way: "out" | "in"): void {
  let index = 0;
  let done = 0;
  for (const { page, offset, length } of list) {
    for (let at = offset; at < offset + length;) {
      const target = memory[index];
      if (target === undefined) return;
      const bytes = Math.min(offset + length - at, target.length - done);
      const ours = page.bytes.subarray(at, at + bytes);
      if (way === "out") target.set(ours, done);
      else ours.set(target.subarray(done, done + bytes));
      at += bytes;
      done += bytes;
      if (done === target.length) {
        index += 1;
        done = 0;
      }
    }
  }
}
