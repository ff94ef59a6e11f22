// pnpm bench [layers|kcopyd|cfq|throttle|exceptions|nbd|stack|snapshots|cache|memory|explorer]… [--rounds N] [--seconds S]
// Of throttle also: --only TEXT, parts and cells with that in their name; --json.
import { parseArgs } from "node:util";
import { benchCache } from "./cache.ts";
import { benchCfq } from "./cfq.ts";
import { benchExceptions } from "./exceptions.ts";
import { benchExplorer } from "./explorer.ts";
import { benchFullStack } from "./full-stack.ts";
import { benchKcopyd } from "./kcopyd.ts";
import { benchLayers } from "./layers.ts";
import { benchMemory } from "./memory.ts";
import { benchNbd } from "./nbd.ts";
import { benchSnapshots } from "./snapshots.ts";
import { benchThrottle } from "./throttle.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const { only, json } = values;
const [rounds, seconds] = [Number(values.rounds ?? "5"), Number(values.seconds ?? "2")];
const benches: Readonly<Record<string, () => Promise<void>>> = {
  layers: () => benchLayers(),
  kcopyd: () => benchKcopyd(),
  cfq: () => benchCfq(rounds, seconds),
  throttle: () =>
    benchThrottle({
      rounds: Number(values.rounds ?? "1"),
      seconds: Number(values.seconds ?? "10"),
      only,
      json,
    }),
  exceptions: () => benchExceptions(),
  nbd: () => benchNbd(rounds, seconds),
  stack: () => benchFullStack(rounds, seconds),
  snapshots: () => benchSnapshots(rounds, seconds),
  cache: () => benchCache(rounds, seconds),
  memory: () => benchMemory(Number(values.seconds ?? "60")),
  explorer: () => benchExplorer(),
};
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  const bench = benches[name];
  if (bench === undefined) {
    throw new Error(`no benchmark "${name}"; there are ${Object.keys(benches).join(", ")}`);
  }
  await bench();
}
