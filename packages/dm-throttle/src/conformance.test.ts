import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { Throttle } from "@blkstack/throttle";
import { throttle } from "./throttle-target.ts";

testTarget({
  target: throttle,
  services(parts) {
    const owner = new Throttle(parts);
    owner.addGroup("free", {});
    owner.addGroup("gold", { limits: { rbps: 1_000_000, wiops: 20 } });
    return [owner];
  },
  claims: { takes: ["discard", "writeZeroes", "secureErase"], holdsMs: 1000 },
  tables: [
    { line: "throttle a 0 free", model: remaps((sector) => ({ disk: "a", sector })) },
    {
      line: "throttle b 3 gold",
      sizeSectors: 24,
      model: remaps((sector) => ({ disk: "b", sector: sector + 3 })),
    },
  ],
  invalidTables: [
    { line: "throttle a 0", says: "Invalid argument count" },
    { line: "throttle a 0 silver", says: "Unknown group" },
    { line: "throttle a x gold", says: "Invalid device sector" },
    { line: "throttle none 0 gold", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
