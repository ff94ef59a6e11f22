import type { Bytes } from "@blkstack/bio";
import type { BackingFile, FileRange } from "../backing-file.ts";

export interface RamFileOptions {
  readonly label: string;
  readonly sizeBytes: Bytes;
  readonly isReadOnly?: boolean;
}

/** Bytes in memory, and nothing that could go wrong or wait: the plainest file there is. */
export class RamFile implements BackingFile {
  readonly label: string;
  readonly kind = "regular";
  readonly isReadOnly: boolean;
  #bytes: Uint8Array;

  constructor({ label, sizeBytes, isReadOnly = false }: RamFileOptions) {
    this.label = label;
    this.isReadOnly = isReadOnly;
    this.#bytes = new Uint8Array(sizeBytes);
  }

  get sizeBytes(): Bytes {
    return this.#bytes.length;
  }

  /** What the file holds now: the bytes themselves, not a copy. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  read(views: readonly Uint8Array[], offsetBytes: Bytes): number {
    let doneBytes = 0;
    for (const view of views) {
      const start = offsetBytes + doneBytes;
      const part = this.#bytes.subarray(start, start + view.length);
      view.set(part);
      doneBytes += part.length;
    }
    return doneBytes;
  }

  write(views: readonly Uint8Array[], offsetBytes: Bytes): number {
    let doneBytes = 0;
    for (const view of views) {
      this.#growTo(offsetBytes + doneBytes + view.length);
      this.#bytes.set(view, offsetBytes + doneBytes);
      doneBytes += view.length;
    }
    return doneBytes;
  }

  sync(): number {
    return 0;
  }

  punchHole({ offsetBytes, lengthBytes }: FileRange): number {
    this.#bytes.fill(0, offsetBytes, offsetBytes + lengthBytes);
    return 0;
  }

  zeroRange(range: FileRange): number {
    this.#growTo(range.offsetBytes + range.lengthBytes);
    return this.punchHole(range);
  }

  /** Cuts the file off, or makes it longer by zeroes. */
  truncate(sizeBytes: Bytes): void {
    this.#bytes = this.#bytes.slice(0, sizeBytes);
    this.#growTo(sizeBytes);
  }

  #growTo(sizeBytes: Bytes): void {
    if (sizeBytes <= this.#bytes.length) return;
    const longer = new Uint8Array(sizeBytes);
    longer.set(this.#bytes);
    this.#bytes = longer;
  }
}
