import { type Bio, BioOp, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";

/** Maps its range onto a part of a device, and counts what passes: `example-target DEVICE START`. */
export const exampleTarget: TargetType = defineTarget({
  name: "example-target",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(2);
    const [device = "", start = ""] = context.args;
    return new ExampleTarget(context, context.openDevice(device), context.sector(start));
  },
});

class ExampleTarget implements Target {
  /** Flushes go to the device in `devices`, once, as they are. */
  readonly flushBios = 1;
  readonly flushesPassThrough = true;
  /** `map` never waits, so that bios that must not wait may come to it. */
  readonly takesNoWait = true;
  readonly #device: BlockDevice;
  readonly #deviceLabel: string;
  readonly #startSector: Sectors;
  readonly #beginSector: Sectors;
  readonly #sizeSectors: Sectors;
  #reads = 0;
  #writes = 0;

  constructor(context: TargetContext, device: BlockDevice, startSector: Sectors) {
    this.#device = device;
    this.#deviceLabel = context.deviceLabel(device);
    this.#startSector = startSector;
    this.#beginSector = context.begin;
    this.#sizeSectors = context.sizeSectors;
  }

  /** Waits: never. */
  map(bio: Bio): MapResult {
    if (bio.op === BioOp.Read) this.#reads += 1;
    else if (bio.op === BioOp.Write) this.#writes += 1;
    bio.device = this.#device;
    bio.sector += this.#startSector - this.#beginSector;
    return MapResult.Remapped;
  }

  status(kind: StatusKind): string {
    if (kind === "table") return `${this.#deviceLabel} ${String(this.#startSector)}`;
    return `${String(this.#reads)} ${String(this.#writes)}`;
  }

  devices(): DeviceRange[] {
    const range = { startSector: this.#startSector, sizeSectors: this.#sizeSectors };
    return [{ device: this.#device, ...range }];
  }
}
