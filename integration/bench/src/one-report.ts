// node one-report.js SCENARIO VARIANT: what the explorer has to say of one variant, then over.
import { explore } from "@blkstack/explorer";
import { scenarios } from "@blkstack/scenarios";

const [name = "", variant = ""] = process.argv.slice(2);
const scenario = scenarios.find((each) => each.name === name);
if (scenario === undefined) throw new RangeError(`no scenario "${name}"`);
const { story } = await explore(scenario, variant, { strategy: "portfolio", after: "first" });
console.log(story);
