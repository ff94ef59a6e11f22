import type { Bio, Sectors } from "@blkstack/bio";
import { defineTarget, type DeviceRange, MapResult, type TargetContext } from "@blkstack/block";
import type { BlockDevice, StatusKind, Target } from "@blkstack/block";
import { remaps, targetSuite } from "@blkstack/conformance";

/** A range of a device: `part DEVICE OFFSET`. */
const part = defineTarget({
  name: "part",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(2);
    const [device = "", offset = ""] = context.args;
    return new Part(context, context.openDevice(device), context.sector(offset));
  },
});

class Part implements Target {
  readonly flushBios = 1;
  readonly #context: TargetContext;
  readonly #device: BlockDevice;
  readonly #offset: Sectors;

  constructor(context: TargetContext, device: BlockDevice, offset: Sectors) {
    this.#context = context;
    this.#device = device;
    this.#offset = offset;
  }

  map(bio: Bio): MapResult {
    bio.device = this.#device;
    bio.sector += this.#offset - this.#context.begin;
    return MapResult.Remapped;
  }

  status(kind: StatusKind): string {
    if (kind === "info") return "";
    return `${this.#context.deviceLabel(this.#device)} ${String(this.#offset)}`;
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ device: this.#device, startSector: this.#offset, sizeSectors }];
  }
}

const rules = targetSuite({
  target: part,
  tables: [{ line: "part a 8", model: remaps((sector) => ({ disk: "a", sector: sector + 8 })) }],
  invalidTables: [
    { line: "part a", says: "Invalid argument count" },
    { line: "part a eight", says: "Invalid device sector" },
    { line: "part none 0", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
for (const rule of rules) await rule.check();
console.log(`${String(rules.length)} rules are kept`);
