// `npm run -s verdicts -- --json`: builds what is not built yet, then computes the table of verdicts.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/scenarios/dist/verdicts/main.js");
await import(pathToFileURL(main).href);
