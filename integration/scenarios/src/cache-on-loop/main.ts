// What ways out of a deadlock cost: `npm run -s scopes [-- --json]`.
import { type Price, prices } from "./price.ts";

const all = await prices();
if (process.argv.includes("--json")) console.log(JSON.stringify({ ways: all }));
else for (const price of all) console.log(lineOf(price));

function lineOf({
  way,
  verdict,
  executions,
  swapOutsFromNofs,
  evictions,
  pagesGot,
}: Price): string {
  const runs = `${way}: ${verdict}, ${String(executions)} run${executions === 1 ? "" : "s"}`;
  if (swapOutsFromNofs === null || evictions === null || pagesGot === null) return runs;
  const swaps = `${rangeOf(swapOutsFromNofs)} swapped out from nofs`;
  return `${runs}; ${rangeOf(pagesGot)} of 2 pages, ${swaps}, ${rangeOf(evictions)} evicted`;
}

function rangeOf([least, most]: readonly [number, number]): string {
  return least === most ? String(least) : `${String(least)} to ${String(most)}`;
}
