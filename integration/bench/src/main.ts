// pnpm bench [layers|nbd] [--rounds N] [--seconds S]
import { parseArgs } from "node:util";
import { benchLayers } from "./layers.ts";
import { benchNbd } from "./nbd.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
  },
});
const wanted = positionals.length > 0 ? positionals : ["layers", "nbd"];
if (wanted.includes("layers")) await benchLayers();
if (wanted.includes("nbd")) await benchNbd(Number(values.rounds), Number(values.seconds));
