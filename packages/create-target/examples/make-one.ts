import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createTarget } from "@blkstack/create-target";

const cwd = await mkdtemp(join(tmpdir(), "example-"));
const { files, next } = await createTarget({ name: "xor", cwd });
for (const file of files.map((path) => relative(cwd, path)).sort()) console.log(file);
console.log(`Now: ${next.join("; ")}`);
