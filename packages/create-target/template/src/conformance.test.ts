import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { exampleTarget } from "./example-target.ts";

testTarget({
  target: exampleTarget,
  tables: [
    { line: "example-target a 0", model: remaps((sector) => ({ disk: "a", sector })) },
    { line: "example-target b 8", model: remaps((sector) => ({ disk: "b", sector: sector + 8 })) },
  ],
  invalidTables: [
    { line: "example-target a", says: "Invalid argument count" },
    { line: "example-target a eight", says: "Invalid device sector" },
    { line: "example-target none 0", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
