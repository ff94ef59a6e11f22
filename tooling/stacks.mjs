// `npm run -s stacks -- --stacks 500 --ios 1000`: builds what is not built yet, then holds random stacks
// to their models.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/stacks/dist/main.js");
await import(pathToFileURL(main).href);
