// What the programs of the tables come to: `npm run -s counts [-- --json]`; with `--scenarios`, how many
// runs each variant of the scenarios takes with reduction and without.
import { confirmTraces, type CountsRow, countProgram, programs } from "./counts.ts";
import { scenarios } from "../index.ts";
import { reductionOf, textOfReduction } from "../reduction.ts";
import { countRetries, type RetryCounts } from "./retry-timer.ts";
import { isSubmitter, retryingPrograms } from "./seed-programs.ts";
import { WalkedGraph } from "./walked-graph.ts";

type Named<Counts> = Counts & { readonly name: string };

/** What each search of a scenario may take. */
const SEARCH_SECONDS = 5;

const isJson = process.argv.includes("--json");
if (process.argv.includes("--scenarios")) await printScenarios();
else await printPrograms();

async function printScenarios(): Promise<void> {
  for (const scenario of scenarios) {
    for (const variant of Object.keys(scenario.variants)) {
      console.log(textOfReduction(await reductionOf(scenario, variant, SEARCH_SECONDS)));
    }
  }
}

async function printPrograms(): Promise<void> {
  const rows: CountsRow[] = [];
  for (const program of programs) {
    const row = await countProgram(program);
    await confirmTraces(program, row);
    rows.push(row);
    if (!isJson) console.log(textOf(row));
  }
  const retries: Named<RetryCounts>[] = [];
  for (const program of retryingPrograms) {
    const counts = countRetries(await WalkedGraph.of(program), isSubmitter);
    retries.push({ name: program.name, ...counts });
    if (!isJson) console.log(retryTextOf({ name: program.name, ...counts }));
  }
  if (isJson) {
    const lists = { rows, retryTimer: retries };
    const parts = Object.entries(lists).map(([key, list]) => `"${key}":[\n${jsonOf(list)}\n]`);
    console.log(`{${parts.join(",\n")}}`);
  }
}

/** By hand, since JSON.stringify knows no integers beyond 2^53. */
function jsonOf(list: readonly Named<object>[]): string {
  const lines = list.map(({ name, ...numbers }) => {
    const fields = Object.entries(numbers).map(([key, value]) => `"${key}":${String(value)}`);
    return `{"name":${JSON.stringify(name)},${fields.join(",")}}`;
  });
  return lines.join(",\n");
}

function textOf(row: CountsRow): string {
  const { name, states, interleavings, deadlocking, traces, deadTraces } = row;
  const ends = `${String(row.terminalStates)} ends (${String(row.deadStates)} fail)`;
  const all = `${String(interleavings)} interleavings (${String(deadlocking)} fail)`;
  const reduced = `${String(traces)} traces (${String(deadTraces)} fail)`;
  return `${name}: ${String(states)} states, ${ends}, ${all}, ${reduced}`;
}

function retryTextOf(counts: Named<RetryCounts>): string {
  const { name, deadlocked, deadlockedWithTimer, hopeless, firingsInVain } = counts;
  return (
    `${name} with a retry timer: ${String(deadlocked)} -> ${String(deadlockedWithTimer)} ` +
    `deadlocked states, ${String(hopeless)} that cannot end, ${String(firingsInVain)} firings in vain`
  );
}
