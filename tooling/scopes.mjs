// `npm run -s scopes -- --json`: builds what is not built yet, then counts what joined scopes cost.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/scenarios/dist/cache-on-loop/main.js");
await import(pathToFileURL(main).href);
