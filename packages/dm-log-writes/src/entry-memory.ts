import { type Bio, BioFlag, BioOp, type Bytes, copyBioData, PAGE_BYTES } from "@blkstack/bio";
import type { Memory } from "@blkstack/memory";
import { PageAllocator } from "@blkstack/memory";
import { GFP_NOWAIT } from "@blkstack/task";
import type { LogEntry } from "./log-entry.ts";
import { LogFlag } from "./log-format.ts";

/** The memory of all that one target has to keep until it is in the log. */
export class EntryMemory {
  readonly #pages: PageAllocator;
  readonly #headPages: number;
  readonly #live = new Set<LogEntry>();

  constructor(options: { memory: Memory; label: string; limitPages: number; blockBytes: Bytes }) {
    this.#pages = new PageAllocator(options);
    this.#headPages = Math.ceil(options.blockBytes / PAGE_BYTES);
  }

  /** Entries that are not in the log yet, nor given up. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** An entry for a bio, with a copy of its data; null when memory is short. Waits: never. */
  entryFor(bio: Bio): LogEntry | null {
    const head = this.#pages.tryAlloc(GFP_NOWAIT, this.#headPages);
    if (head === null) return null;
    const { sector, sectors, sizeBytes } = bio;
    let data = null;
    if (bio.hasData) {
      data = this.#pages.tryAlloc(GFP_NOWAIT, Math.ceil(sizeBytes / PAGE_BYTES));
      if (data === null) {
        this.#pages.free(head);
        return null;
      }
      copyBioData(bio, data.bytes);
    }
    const flags = flagsOf(bio);
    const entry: LogEntry = { sector, sectors, flags, text: "", head, data, place: 0, number: 0 };
    this.#live.add(entry);
    return entry;
  }

  /** The end: every entry was given back. Waits: never. */
  destroy(): void {
    this.#pages.letGoOfAll();
  }

  /** Gives the memory of an entry back; a mark has none from here. Waits: never. */
  free(entry: LogEntry): void {
    if (!this.#live.delete(entry)) return;
    this.#pages.free(entry.head);
    if (entry.data !== null) this.#pages.free(entry.data);
  }
}

function flagsOf({ op, flags }: Bio): number {
  let result = 0;
  if ((flags & BioFlag.Preflush) !== 0) result |= LogFlag.Flush;
  if ((flags & BioFlag.Fua) !== 0) result |= LogFlag.Fua;
  if (op === BioOp.Discard) result |= LogFlag.Discard;
  if ((flags & BioFlag.Meta) !== 0) result |= LogFlag.Metadata;
  return result;
}
