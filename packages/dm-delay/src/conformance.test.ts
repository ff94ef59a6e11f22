import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { delay } from "./delay.ts";

testTarget({
  target: delay,
  claims: { takes: ["discard"], holdsMs: 40 },
  tables: [
    { line: "delay a 4 0", model: remaps((sector) => ({ disk: "a", sector: sector + 4 })) },
    { line: "delay a 0 30 a 0 20 a 0 10", model: remaps((sector) => ({ disk: "a", sector })) },
  ],
  invalidTables: [
    { line: "delay a 0", says: "Requires exactly 3, 6 or 9 arguments" },
    { line: "delay a x 0", says: "Invalid device sector" },
    { line: "delay a 0 soon", says: "Invalid delay" },
    { line: "delay none 0 5", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
