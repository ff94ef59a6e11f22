// `npm run -s kill -- --times 50`: builds what is not built yet, then kills the server again and
// again while it is written to, and sees whether anything is lost. Also --only file|stack, --seed N.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/interop/dist/kill/main.js");
await import(pathToFileURL(main).href);
