import type { Bio, Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  type Extent,
  findExtent,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";

/** Maps a range of the mapped device onto an equally long range of one lower device. */
export const linear: TargetType = defineTarget({
  name: "linear",
  version: [1, 4, 0],
  apiVersion: 1,
  create(context) {
    const { args } = context;
    context.argumentCount(2);
    const [device = "", start = ""] = args;
    // The start before the device: a mistyped number is told whatever the device.
    const startSector = context.sector(start);
    return new Linear(context, context.openDevice(device), startSector);
  },
});

class Linear implements Target {
  readonly flushBios = 1;
  readonly flushesPassThrough = true;
  readonly discardBios = 1;
  readonly writeZeroesBios = 1;
  readonly secureEraseBios = 1;
  readonly takesNoWait = true;
  readonly #device: BlockDevice;
  readonly #deviceLabel: string;
  readonly #start: Sectors;
  readonly #size: Sectors;
  /** What to add to a sector of the mapped device to get one of the lower device. */
  readonly #shift: Sectors;

  constructor(context: TargetContext, device: BlockDevice, start: Sectors) {
    this.#device = device;
    this.#deviceLabel = context.deviceLabel(device);
    this.#start = start;
    this.#size = context.sizeSectors;
    this.#shift = start - context.begin;
  }

  /** Waits: never. */
  map(bio: Bio): MapResult {
    bio.device = this.#device;
    bio.sector += this.#shift;
    return MapResult.Remapped;
  }

  status(kind: StatusKind): string {
    return kind === "table" ? `${this.#deviceLabel} ${String(this.#start)}` : "";
  }

  findExtent(sector: Sectors, extent: Extent): void {
    findExtent(this.#device, sector + this.#shift, extent);
  }

  devices(): DeviceRange[] {
    return [{ device: this.#device, startSector: this.#start, sizeSectors: this.#size }];
  }
}
