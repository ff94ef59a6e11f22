// `npm run -s conformance`: builds what is not built yet, then holds this server and those peers
// that are installed to the same rows, and prints who passes what. `-- A01 T27` holds to these alone.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/interop/dist/conformance/main.js");
await import(pathToFileURL(main).href);
