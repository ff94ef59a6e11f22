// The rows that peers are held to as well, each of them for this server; the table of all of them is
// printed by: npm run -s conformance
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEGOTIATION_ROWS } from "../src/conformance/negotiation-rows.ts";
import { OURS, Target } from "../src/conformance/target.ts";
import { TOOL_ROWS } from "../src/conformance/tool-rows.ts";
import { TRANSMISSION_ROWS } from "../src/conformance/transmission-rows.ts";
import { isMissing } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const bench = new Workbench();
let target: Target;

beforeAll(async () => {
  target = new Target(OURS, bench.folder);
  await target.ready();
});

afterAll(async () => {
  await target.stop();
  bench.clear();
});

const RAW_ROWS = [...NEGOTIATION_ROWS, ...TRANSMISSION_ROWS];
const isWithoutTools = isMissing("nbdinfo", "nbdcopy", "nbdsh", "nbdkit", "qemu-io", "fio");

describe.each([
  ["raw bytes", RAW_ROWS, false],
  ["tools", TOOL_ROWS, isWithoutTools],
] as const)("%s", (_name, rows, isSkipped) => {
  it.skipIf(isSkipped).each(rows.map((row) => [row.id, row.says, row] as const))(
    "%s: %s",
    async (_id, _says, row) => {
      await row.check(target);
      expect(await target.ready()).toEqual([]);
    },
  );
});
