// The table of verdicts: `npm run -s verdicts [-- --json]`.
import { CELLS, type Verdict, verdictOf } from "./matrix.ts";
import { tableOf } from "./table.ts";

const isJson = process.argv.includes("--json");
const matrix: Verdict[] = [];
for (const cell of CELLS) {
  if (!isJson) process.stderr.write(`\r\u001B[K${cell.row}, ${cell.column} …`);
  matrix.push(await verdictOf(cell));
}
if (!isJson) process.stderr.write("\r\u001B[K");
console.log(isJson ? jsonOf(matrix) : tableOf(matrix));

/** One line for each cell. */
function jsonOf(verdicts: readonly Verdict[]): string {
  return `{"matrix":[\n${verdicts.map((verdict) => JSON.stringify(verdict)).join(",\n")}\n]}`;
}
