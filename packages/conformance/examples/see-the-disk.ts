import { defineTarget, MapResult } from "@blkstack/block";
import { TargetBench } from "@blkstack/conformance";

/** Sees to it that nobody overwrites the first ten sectors of a device. */
const behindLabel = defineTarget({
  name: "behind-label",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(1);
    const device = context.openDevice(context.args[0] ?? "");
    return {
      map(bio) {
        bio.device = device;
        bio.sector += 10 - context.begin;
        return MapResult.Remapped;
      },
      status: (kind) => (kind === "table" ? context.deviceLabel(device) : ""),
    };
  },
});

const bench = new TargetBench({ types: [behindLabel] });
console.log(await bench.refusal("0 100 behind-label a b"));
await bench.create("0 100 behind-label a");
await bench.write(0, 2, 7);
console.log(bench.a.log.join(", "));
console.log(bench.a.firstBytes({ sector: 9, sectors: 4 }).join(" "));
console.log((await bench.read(1, 2))?.join(" "));
