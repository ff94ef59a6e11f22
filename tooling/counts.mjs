// `npm run -s counts -- --json`: builds what is not built yet, then counts.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/scenarios/dist/counts/main.js");
await import(pathToFileURL(main).href);
