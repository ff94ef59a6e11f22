import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { ExportInfo } from "./export.ts";
import type { CheckedExport } from "./request-check.ts";

/** What else was agreed with the client who was told. */
export interface ToldTerms {
  readonly requestBytesMax: Bytes;
  readonly contextCount: number;
  readonly isExtended: boolean;
  /** Whether the client asked for the block sizes, and so has to keep to them. */
  readonly keepsBlockSize: boolean;
}

/** An export as it was described to one client, and as far as it still is so. */
export class ToldExport implements CheckedExport {
  readonly flags: number;
  readonly requestBytesMax: Bytes;
  readonly contextCount: number;
  readonly isExtended: boolean;
  readonly blockBytes: Bytes;
  readonly #toldBytes: Bytes;
  readonly #device: BlockDevice;

  constructor(info: ExportInfo, device: BlockDevice, terms: ToldTerms) {
    this.flags = info.flags;
    this.requestBytesMax = terms.requestBytesMax;
    this.contextCount = terms.contextCount;
    this.isExtended = terms.isExtended;
    this.blockBytes = terms.keepsBlockSize ? info.blockBytesMin : 1;
    this.#toldBytes = info.sizeBytes;
    this.#device = device;
  }

  /** What a device grows by is for clients who come later; what it shrinks by is gone for all. */
  get sizeBytes(): Bytes {
    return Math.min(this.#toldBytes, this.#device.sizeSectors * SECTOR_BYTES);
  }
}
