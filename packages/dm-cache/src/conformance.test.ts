import { keeps, remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { cache } from "./index.ts";

testTarget({
  target: cache,
  claims: { takes: ["discard", "writeZeroes", "secureErase"] },
  tables: [
    {
      line: "cache a 4096 16",
      tells: "cache 7:0 4096 16 1 writeback",
      model: keeps((sector) => ({ disk: "a", sector }), { untouchedDisks: ["b"] }),
    },
    {
      line: "cache a 1024 16 1 writethrough",
      model: remaps((sector) => ({ disk: "a", sector })),
    },
    {
      line: "cache a 2048 16 2 bypass_sectors 8",
      tells: "cache 7:0 2048 16 3 writeback bypass_sectors 8",
      model: keeps((sector) => ({ disk: "a", sector }), { untouchedDisks: ["b"] }),
    },
  ],
  invalidTables: [
    { line: "cache a 4096", says: "Invalid argument count" },
    { line: "cache a 4000 16", says: "Invalid block size" },
    { line: "cache a 4096 8", says: "Invalid cache size" },
    { line: "cache none 4096 16", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
