import type { Sectors } from "@blkstack/bio";
import { type Extent, setData } from "./extent.ts";

/** What somebody else says of sectors; flags as those of an `Extent`. */
export interface AskedExtent {
  readonly sectors: Sectors;
  readonly flags: number;
}

/** A device that has to ask somebody else what it has: a disk of another machine. */
export interface AskingDevice {
  /**
   * Extents from `sector` on, in order and without gaps, of as much as it thinks right; none: nothing
   * is known from there on. Waits: for whoever knows. Never throws.
   */
  askExtents(sector: Sectors): Promise<readonly AskedExtent[]>;
}

interface Question {
  readonly device: AskingDevice;
  readonly sector: Sectors;
}

/** What a device has been told of its sectors, from `begin` on. */
interface Told {
  readonly begin: Sectors;
  end: Sectors;
  /** Where each extent ends, and what it is. */
  readonly ends: Sectors[];
  readonly flags: number[];
}

/** Nobody has more questions answered in one conversation: what is left is data. */
const QUESTIONS_MAX = 16;

/**
 * Somebody who asks devices for their extents, and can wait for those that must ask others. `findExtent`
 * never waits: a device that does not know yet says data, and leaves its question here; who asks has it
 * answered, and asks the device again. Answers are worth no more than one such conversation: others may
 * write behind the device's back.
 */
export class ExtentInquiry {
  readonly #told = new Map<AskingDevice, Told>();
  #question: Question | null = null;
  #asked = 0;

  /** Whether to `ask` and look again: what was said since is not all that can be known. */
  get hasQuestion(): boolean {
    return this.#question !== null;
  }

  /** For `findExtent` of a device: answers what it was told, else notes the question. Waits: never. */
  look(device: AskingDevice, sector: Sectors, extent: Extent): void {
    setData(extent);
    const told = this.#told.get(device);
    if (told !== undefined && sector >= told.begin && sector < told.end) {
      answer(told, sector, extent);
    } else if (this.#question === null && this.#asked < QUESTIONS_MAX) {
      this.#question = { device, sector };
    }
  }

  /** Has the question answered. Waits: for whoever knows. */
  async ask(): Promise<void> {
    const question = this.#question;
    if (question === null) return;
    this.#asked += 1;
    const { device, sector } = question;
    const extents = await device.askExtents(sector);
    this.#question = null;
    let told = this.#told.get(device);
    if (told?.end !== sector) {
      told = { begin: sector, end: sector, ends: [], flags: [] };
      this.#told.set(device, told);
    }
    if (extents.length === 0) tell(told, Infinity, 0);
    else for (const each of extents) tell(told, each.sectors, each.flags);
  }
}

function tell(told: Told, sectors: Sectors, flags: number): void {
  told.end += sectors;
  told.ends.push(told.end);
  told.flags.push(flags);
}

/** The sector was told of. */
function answer(told: Told, sector: Sectors, extent: Extent): void {
  let low = 0;
  let high = told.ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((told.ends[middle] ?? 0) <= sector) low = middle + 1;
    else high = middle;
  }
  extent.sectors = Math.min(extent.sectors, (told.ends[low] ?? 0) - sector);
  extent.flags = told.flags[low] ?? 0;
}
