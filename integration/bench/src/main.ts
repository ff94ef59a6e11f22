// pnpm bench [layers|kcopyd|cfq|exceptions|nbd|snapshots|cache|memory|explorer]… [--rounds N] [--seconds S]
import { parseArgs } from "node:util";
import { benchCache } from "./cache.ts";
import { benchCfq } from "./cfq.ts";
import { benchExceptions } from "./exceptions.ts";
import { benchExplorer } from "./explorer.ts";
import { benchKcopyd } from "./kcopyd.ts";
import { benchLayers } from "./layers.ts";
import { benchMemory } from "./memory.ts";
import { benchNbd } from "./nbd.ts";
import { benchSnapshots } from "./snapshots.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string" },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds ?? "2")];
const benches: Readonly<Record<string, () => Promise<void>>> = {
  layers: () => benchLayers(),
  kcopyd: () => benchKcopyd(),
  cfq: () => benchCfq(rounds, seconds),
  exceptions: () => benchExceptions(),
  nbd: () => benchNbd(rounds, seconds),
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
