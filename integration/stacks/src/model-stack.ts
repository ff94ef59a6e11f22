import { BioOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type Model, type ModelAnswer, type ModelRequest, remaps } from "@blkstack/conformance";
import { diskContent } from "./content.ts";
import type { DeviceLayout, DiskLayout, Layout, LineLayout } from "./layout.ts";
import { flushAll, isFlush, JoinedAnswer } from "./parts/remapped.ts";
import type { LineModel, ModelDevice, StackPart } from "./stack-part.ts";

/** Whatever a line takes, these it does. */
const ALWAYS: ReadonlySet<BioOp> = new Set([BioOp.Read, BioOp.Write]);

/** What every disk and device of a layout holds and answers, as its tables say. */
export class ModelStack {
  readonly #disks = new Map<string, ModelDisk>();
  readonly #devices = new Map<string, ModelTable>();

  /** Devices that no model can tell, and all that stand on them, are left out. */
  constructor({ disks, devices }: Layout, parts: readonly StackPart[]) {
    for (const [index, disk] of disks.entries()) {
      this.#disks.set(disk.name, new ModelDisk(disk, initialContent(disk, index)));
    }
    for (const device of devices) this.#add(device, parts);
  }

  /** Null: it was left out. */
  find(name: string): ModelTable | null {
    return this.#devices.get(name) ?? null;
  }

  /** All that a disk holds. */
  contentOf(disk: string): Uint8Array | null {
    return this.#disks.get(disk)?.bytes ?? null;
  }

  #add({ name, lines }: DeviceLayout, parts: readonly StackPart[]): void {
    const models: ModelLine[] = [];
    for (const line of lines) {
      const part = parts.find((each) => each.name === line.part);
      const model = part === undefined ? null : this.#lineOf(line, part);
      if (model === null) return;
      models.push(model);
    }
    this.#devices.set(name, new ModelTable(models));
  }

  #lineOf(line: LineLayout, part: StackPart): ModelLine | null {
    const below: ModelDevice[] = [];
    const model = part.model({
      ...line,
      below: (name) => {
        const device = this.#disks.get(name) ?? this.#devices.get(name) ?? NOBODY;
        below.push(device);
        return device;
      },
    });
    if (model === null || below.includes(NOBODY)) return null;
    const takes = (op: BioOp): boolean =>
      ALWAYS.has(op) || (part.takes.includes(op) && below.every((device) => device.takes(op)));
    return { line, model, takes, isCached: below.some(({ isCached }) => isCached) };
  }
}

/** Stands for a device that was left out. */
const NOBODY: ModelDevice = {
  sizeSectors: 0,
  isCached: false,
  takes: () => false,
  serve: (request) => flushAll([], request),
};

/** Sectors behind these hold zeroes at first. */
const CONTENT_SECTORS_MAX: Sectors = 4096;

/** What the first sectors of a disk hold at first; the others, and those of scratch disks, zeroes. */
export function initialContent({ sizeSectors, isScratch }: DiskLayout, index: number): Uint8Array {
  return diskContent(index, isScratch ? 0 : Math.min(sizeSectors, CONTENT_SECTORS_MAX));
}

class ModelDisk implements ModelDevice {
  readonly isCached = true;
  readonly sizeSectors: Sectors;
  readonly bytes: Uint8Array;
  readonly #model: Model;

  constructor({ name, sizeSectors, isScratch }: DiskLayout, content: Uint8Array) {
    this.sizeSectors = sizeSectors;
    this.bytes = new Uint8Array(isScratch ? 0 : sizeSectors * SECTOR_BYTES);
    this.bytes.set(content);
    const disks = new Map([[name, this.bytes]]);
    this.#model = remaps((sector) => ({ disk: name, sector }))({ begin: 0, sizeSectors, disks });
  }

  takes(): boolean {
    return true;
  }

  serve(request: ModelRequest): ModelAnswer {
    return this.#model.serve(request);
  }
}

interface ModelLine {
  readonly line: LineLayout;
  readonly model: LineModel;
  readonly takes: (op: BioOp) => boolean;
  readonly isCached: boolean;
}

/** A device: its lines one behind the other. */
export class ModelTable implements ModelDevice {
  readonly sizeSectors: Sectors;
  readonly isCached: boolean;
  readonly #lines: readonly ModelLine[];

  constructor(lines: readonly ModelLine[]) {
    this.#lines = lines;
    this.isCached = lines.some(({ isCached }) => isCached);
    this.sizeSectors = lines.reduce((sum, { line }) => sum + line.sizeSectors, 0);
  }

  takes(op: BioOp): boolean {
    return this.#lines.every((line) => line.takes(op));
  }

  serve(request: ModelRequest): ModelAnswer {
    if (isFlush(request)) {
      const lines = this.isCached ? this.#lines.map(({ model }) => model) : [];
      return flushAll(lines, request);
    }
    const answer = new JoinedAnswer(request);
    const end = request.sector + request.sectors;
    for (const { line, model } of this.#lines) {
      const from = Math.max(request.sector, line.begin);
      const sectors = Math.min(end, line.begin + line.sizeSectors) - from;
      if (sectors <= 0) continue;
      answer.add(model, { from: from - request.sector, sectors, sector: from - line.begin });
    }
    return answer;
  }

  reloaded(): void {
    for (const { model } of this.#lines) model.reloaded?.();
  }
}
