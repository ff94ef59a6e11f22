import { type Bio, BioStatus, type Bytes, type Page, PAGE_BYTES } from "@blkstack/bio";
import type { SgEntry, SgList } from "./sg-list.ts";

/** What is remembered while a device works on a copy of the caller's memory. */
export class CopyRecord {
  /** The caller's memory. */
  original: SgList = [];
  readonly pages: Page[] = [];
  /** Bios that work on the copy and have not ended, and the mapping while it goes on. */
  users = 0;
  /** The first error of any of them. */
  status: BioStatus = BioStatus.Ok;

  /** For its next use. */
  begin(original: SgList): void {
    this.original = original;
    this.pages.length = 0;
    this.users = 1;
    this.status = BioStatus.Ok;
  }

  note(status: Bio["status"]): void {
    if (this.status === BioStatus.Ok) this.status = status;
  }

  /** The copy as a list of its own; the last page has what is left. */
  list(bytes: Bytes): SgEntry[] {
    return this.pages.map((page, index) => ({
      page,
      offset: 0,
      length: Math.min(PAGE_BYTES, bytes - index * PAGE_BYTES),
    }));
  }
}
