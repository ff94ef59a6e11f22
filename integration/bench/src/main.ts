// pnpm bench [layers|nbd|explorer] [--rounds N] [--seconds S]
import { parseArgs } from "node:util";
import { benchExplorer } from "./explorer.ts";
import { benchLayers } from "./layers.ts";
import { benchNbd } from "./nbd.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
  },
});
const wanted = positionals.length > 0 ? positionals : ["layers", "nbd", "explorer"];
if (wanted.includes("layers")) await benchLayers();
if (wanted.includes("nbd")) await benchNbd(Number(values.rounds), Number(values.seconds));
if (wanted.includes("explorer")) await benchExplorer();
