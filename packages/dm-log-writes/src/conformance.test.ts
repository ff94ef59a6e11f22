import { remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { logWrites } from "./log-writes.ts";

testTarget({
  target: logWrites,
  disks: { a: 64, log: 512 },
  claims: { takes: ["discard"], ownDisks: ["log"], toleratesErrorsOf: ["log"] },
  tables: [
    {
      line: "log-writes a log",
      model: remaps((sector) => ({ disk: "a", sector }), { exactDisks: ["a"] }),
    },
  ],
  invalidTables: [
    { line: "log-writes a", says: "Invalid argument count" },
    { line: "log-writes none log", says: "Device lookup failed", errno: "ENODEV" },
    { line: "log-writes a none", says: "Log device lookup failed", errno: "ENODEV" },
  ],
});
