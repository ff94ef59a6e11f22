// The published packages under the next TypeScript, which the linter cannot take yet.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const packages = new URL("../../packages/", import.meta.url);
let failed = 0;
for (const name of readdirSync(packages)) {
  const project = new URL(`${name}/tsconfig.json`, packages).pathname;
  const { status } = spawnSync("tsc", ["-p", project, "--noEmit"], { stdio: "inherit" });
  if (status !== 0) failed += 1;
}
process.exit(failed > 0 ? 1 : 0);
