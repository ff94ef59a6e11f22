import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { bounce } from "./index.ts";

testTarget({
  target: bounce,
  claims: {
    takes: ["discard", "writeZeroes", "secureErase"],
    widens: ["dmaAlignmentMask", "bounceFrame"],
  },
  tables: [
    { line: "bounce a 8", model: remaps((sector) => ({ disk: "a", sector: sector + 8 })) },
    {
      line: "bounce a 0 4 align 512 pool 1",
      model: remaps((sector) => ({ disk: "a", sector })),
    },
  ],
  invalidTables: [
    { line: "bounce a", says: "Invalid argument count" },
    { line: "bounce a x", says: "Invalid device sector" },
    { line: "bounce a 0 2 align 100", says: "Invalid alignment" },
    { line: "bounce a 0 2 pool 0", says: "Invalid pool size" },
    { line: "bounce none 0", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
