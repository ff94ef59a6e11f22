// The rows that peers are held to as well, each of them for this server; the table of all of them is
// printed by: npm run -s conformance
import { afterAll, beforeAll, expect, it } from "vitest";
import { NEGOTIATION_ROWS } from "../src/conformance/negotiation-rows.ts";
import { OURS, Target } from "../src/conformance/target.ts";
import { TRANSMISSION_ROWS } from "../src/conformance/transmission-rows.ts";
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

const rows = [...NEGOTIATION_ROWS, ...TRANSMISSION_ROWS];

it.each(rows.map((row) => [row.id, row.says, row] as const))("%s: %s", async (_id, _says, row) => {
  await row.check(target);
  expect(await target.ready()).toEqual([]);
});
