import { expect, it } from "vitest";
import { EventRate } from "./event-rate.ts";
import { Logger } from "./logger.ts";

it("of a kind twenty are told at once, then one each second, which says how many were not", () => {
  let nowMs = 0;
  const rate = new EventRate(() => nowMs);
  const told = Array.from({ length: 1000 }, () => rate.admit("knock"));
  expect(told.filter((suppressed) => suppressed !== null)).toHaveLength(20);
  expect(rate.admit("other")).toBe(0);
  nowMs = 999;
  expect(rate.admit("knock")).toBeNull();
  nowMs = 1000;
  expect(rate.admit("knock")).toBe(981);
  expect(rate.admit("knock")).toBeNull();
  nowMs = 1e9;
  const later = Array.from({ length: 100 }, () => rate.admit("knock"));
  expect(later.filter((suppressed) => suppressed !== null)).toHaveLength(20);
});

it("an event is a line, whatever it says, and one below the level is none", () => {
  let written = "";
  const output = { write: (text: string) => (written += text) };
  const log = new Logger({ output, format: "text", level: "warn", nowMs: () => 0 });
  const event = { connection: 7, peer: "unix", export: null } as const;
  log.tellOfClient({ ...event, level: "warn", event: "closed", message: "bad \u001b[2J name" });
  log.tellOfClient({ ...event, level: "info", event: "closed", message: "good" });
  log.tellOfDevice("snap: Invalidating snapshot");
  expect(written).toBe(
    "blkstack: client 7: bad ?[2J name\nblkstack: snap: Invalidating snapshot\n",
  );
});
