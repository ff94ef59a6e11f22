import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { linear } from "./linear.ts";

testTarget({
  target: linear,
  claims: { takes: ["discard", "writeZeroes", "secureErase"] },
  tables: [
    { line: "linear a 0", model: remaps((sector) => ({ disk: "a", sector })) },
    { line: "linear b 8", model: remaps((sector) => ({ disk: "b", sector: sector + 8 })) },
    {
      line: "linear a 7",
      sizeSectors: 21,
      model: remaps((sector) => ({ disk: "a", sector: sector + 7 })),
    },
  ],
  invalidTables: [
    { line: "linear a", says: "Invalid argument count" },
    { line: "linear a 5x", says: "Invalid device sector" },
    { line: "linear none 5", says: "Device lookup failed", errno: "ENODEV" },
    { line: "linear a 60", says: "a too small for target" },
  ],
});
