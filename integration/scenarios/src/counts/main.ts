// What the programs of the tables come to: `npm run -s counts [-- --json]`.
import { type CountsRow, countProgram, programs } from "./counts.ts";

const isJson = process.argv.includes("--json");
const rows: string[] = [];
for (const program of programs) {
  const row = await countProgram(program);
  if (isJson) rows.push(jsonOf(row));
  else console.log(textOf(row));
}
if (isJson) console.log(`{"rows":[\n${rows.join(",\n")}\n]}`);

/** By hand, since JSON.stringify knows no integers beyond 2^53. */
function jsonOf({ name, ...numbers }: CountsRow): string {
  const fields = Object.entries(numbers).map(([key, value]) => `"${key}":${String(value)}`);
  return `{"name":${JSON.stringify(name)},${fields.join(",")}}`;
}

function textOf(row: CountsRow): string {
  const { name, states, interleavings, deadlocking, traces, deadTraces } = row;
  const all = `${String(states)} states, ${String(interleavings)} interleavings`;
  const reduced = `${String(traces)} traces (${String(deadTraces)} fail)`;
  return `${name}: ${all} (${String(deadlocking)} fail), ${reduced}`;
}
