// `npm run -s guest`: builds what is not built yet, then has a Linux kernel in an emulated guest use
// this server, and prints a line for each thing that it does. Row ids may follow.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./pnpm.mjs";

await import("./prepare.mjs");
const main = join(root, "integration/interop/dist/guest/main.js");
await import(pathToFileURL(main).href);
