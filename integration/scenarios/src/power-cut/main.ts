// Cuts the power under snapshots: `npm run -s power-cut [-- --json]`.
import { powerCut } from "./index.ts";
import { countsOf, cutAllAlong } from "./budgets.ts";

const isJson = process.argv.includes("--json");
const rows = [];
for (const [variant, { expect }] of Object.entries(powerCut.variants)) {
  const result = await cutAllAlong(variant);
  const last = result.reports.at(-1);
  const row = {
    variant,
    expected: expect,
    verdict: last?.kind ?? "survived",
    replay: last?.replayLine ?? null,
    schedules: result.reports.reduce((sum, { runs }) => sum + runs, 0),
    ...countsOf(result),
  };
  rows.push(row);
  if (isJson) continue;
  const { verdict, schedules, states, images, distinctImages, sampledStates } = row;
  console.log(
    `${variant}: ${verdict}; ${String(schedules)} schedules, ${String(states)} states, ` +
      `${String(images)} images of them, ${String(distinctImages)} distinct, ` +
      `${String(sampledStates)} states sampled`,
  );
}
if (isJson) console.log(JSON.stringify({ variants: rows }));
