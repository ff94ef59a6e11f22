import { defineTarget, MapResult } from "@blkstack/block";
import { remaps, targetSuite } from "@blkstack/conformance";

/** Its table line goes on behind a label of ten sectors. Or so it should. */
const behindLabel = defineTarget({
  name: "behind-label",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(1);
    const device = context.openDevice(context.args[0] ?? "");
    return {
      flushBios: 1,
      map(bio) {
        bio.device = device;
        if (bio.sizeBytes > 0) bio.sector += 10;
        return MapResult.Remapped;
      },
      status: (kind) => (kind === "table" ? context.deviceLabel(device) : ""),
      devices: () => [{ device, startSector: 10, sizeSectors: context.sizeSectors }],
    };
  },
});

const rules = targetSuite({
  target: behindLabel,
  tables: [
    {
      line: "behind-label a",
      model: remaps((sector) => ({ disk: "a", sector: sector + 10 })),
    },
  ],
  invalidTables: [{ line: "behind-label a b", says: "Invalid argument count" }],
});
for (const rule of rules) {
  await rule.check().catch((error: unknown) => {
    console.log(error instanceof Error ? error.message : error);
  });
}
