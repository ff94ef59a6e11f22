import type { Sectors } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import type { DeviceLayout, DiskLayout, Layout, LineLayout } from "./layout.ts";
import {
  type BelowPlan,
  type DevicePlan,
  devicesOf,
  type LinePlan,
  SHARED_DISKS,
  type StackPlan,
} from "./plan.ts";
import type { Below, BesideLine, LinePlace, Need, StackLine, StackPart } from "./stack-part.ts";

/**
 * What the shared disks can take at once: so bios are cut in every way there is. One sector in more
 * pieces of memory than a disk takes could not be sent at all.
 */
const LIMITS: readonly Partial<QueueLimits>[] = [
  {},
  { maxHwSectors: 8, maxSectors: 8, maxSegments: 3 },
  { chunkSectors: 4 },
];

/** Makes tables of a plan. Every sector of a disk belongs to one line, so that no two share data. */
export function layOut({ sizeSectors, top, root }: StackPlan, parts: readonly StackPart[]): Layout {
  const layouter = new Layouter(parts);
  layouter.addDevice(devicesOf(top)[root] ?? top, sizeSectors, true);
  return layouter.layout;
}

class Layouter {
  readonly #parts: readonly StackPart[];
  readonly #own: DiskLayout[] = [];
  readonly #devices: DeviceLayout[] = [];
  /** The end of what is used of each shared disk. */
  readonly #used: Sectors[] = Array.from({ length: SHARED_DISKS }, () => 0);
  #isCoupled = false;

  constructor(parts: readonly StackPart[]) {
    this.#parts = parts;
  }

  get layout(): Layout {
    const shared = this.#used.map((sizeSectors, index) => ({
      name: `s${String(index)}`,
      sizeSectors,
      isScratch: false,
      limits: LIMITS[index] ?? {},
    }));
    const disks = [...shared.filter(({ sizeSectors }) => sizeSectors > 0), ...this.#own];
    return { disks, devices: this.#devices, isCoupled: this.#isCoupled };
  }

  /** Answers the name of a device of at least this size. */
  addDevice({ lines }: DevicePlan, sizeSectors: Sectors, isTop: boolean): string {
    const total = lines.reduce((sum, { weight }) => sum + weight, 0);
    const laidOut: LineLayout[] = [];
    const beside: (() => void)[] = [];
    let begin = 0;
    for (const [index, plan] of lines.entries()) {
      if (begin >= sizeSectors && begin > 0) break;
      const isLast = index === lines.length - 1;
      const wanted = isLast ? sizeSectors - begin : (sizeSectors * plan.weight) / total;
      const place = { begin, sizeSectors: roundUp(wanted, plan.line.granuleSectors) };
      const below = plan.line.needs(place).map((need, at) => this.#meet(need, at, plan));
      laidOut.push(this.#lineOf(plan.part, plan.line, place, below));
      begin += place.sizeSectors;
      const [shared] = below;
      if (shared === undefined) continue;
      const endSector = begin;
      for (const line of plan.line.beside ?? []) {
        beside.push(() => {
          this.#addBeside(line, shared, endSector);
        });
      }
    }
    const name = `d${String(this.#devices.length)}`;
    this.#devices.push({ name, lines: laidOut, isTop });
    for (const add of beside) add();
    return name;
  }

  /** A device of one line, upon what another line stands on. */
  #addBeside({ part: name, line }: BesideLine, shared: Below, sizeSectors: Sectors): void {
    const part = this.#parts.find((each) => each.name === name);
    if (part === undefined) return;
    const place = { begin: 0, sizeSectors };
    const own = line.needs(place).slice(1);
    const below = [shared, ...own.map((need) => this.#ownDisk(need))];
    const lines = [this.#lineOf(part, line, place, below)];
    this.#devices.push({ name: `d${String(this.#devices.length)}`, lines, isTop: true });
  }

  #lineOf(part: StackPart, line: StackLine, place: LinePlace, below: readonly Below[]): LineLayout {
    if (part.isCoupled === true) this.#isCoupled = true;
    const words = line.words(below, place).map(String);
    return { ...place, part: part.name, words, messages: line.messages ?? [] };
  }

  #meet(need: Need, index: number, { below }: LinePlan): Below {
    const plan = below[index % below.length];
    if (plan === undefined || need.isScratch === true) return this.#ownDisk(need);
    const gapSectors = need.isWhole === true ? 0 : plan.gapSectors;
    const sectors = gapSectors + need.sectors;
    if (plan.device !== null && (need.isSolid !== true || isSolid(plan.device))) {
      return { name: this.addDevice(plan.device, sectors, false), startSector: gapSectors };
    }
    return need.isWhole === true ? this.#ownDisk(need) : this.#sharedDisk(plan, need);
  }

  #ownDisk({ sectors, isScratch = false }: Need): Below {
    const name = `w${String(this.#own.length)}`;
    this.#own.push({ name, sizeSectors: sectors, isScratch, limits: {} });
    return { name, startSector: 0 };
  }

  #sharedDisk({ disk, gapSectors }: BelowPlan, { sectors }: Need): Below {
    const startSector = (this.#used[disk] ?? 0) + gapSectors;
    this.#used[disk] = startSector + sectors;
    return { name: `s${String(disk)}`, startSector };
  }
}

/** At least one sector, and whole granules. */
function roundUp(sectors: number, granuleSectors: Sectors = 1): Sectors {
  return Math.max(1, Math.ceil(Math.floor(sectors) / granuleSectors)) * granuleSectors;
}

/** Whether all of it keeps what is written and never fails. */
function isSolid({ lines }: DevicePlan): boolean {
  return lines.every(
    ({ part, below }) =>
      part.isSolid && below.every(({ device }) => device === null || isSolid(device)),
  );
}
