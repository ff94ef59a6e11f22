// `npm run -s power-cut -- --json`: builds what is not built yet, then cuts the power.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/scenarios/dist/power-cut/main.js");
await import(pathToFileURL(main).href);
