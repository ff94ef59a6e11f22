// `npm run -s hostile -- --seconds 10`: builds what is not built yet, then measures what crowds and
// clients that mean harm cost one that does not. Also --idle N, --active N, --hostile N, --only TEXT.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/interop/dist/hostile/main.js");
await import(pathToFileURL(main).href);
