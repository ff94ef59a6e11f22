// docs/own-target.md, word for word, where nothing of this checkout is near: npm finds our packages in
// a registry on the loopback, as they would be published.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { blocksOf, outputsOf, scriptOf } from "@blkstack/interop/page";
import { isMissing, run } from "@blkstack/interop/tools";
import { afterAll, expect, it } from "vitest";
import { packAll, ROOT } from "../src/packed.ts";
import { LocalRegistry } from "../src/registry.ts";

const TIMEOUT_MS = 600_000;
const OUTPUTS_MIN = 5;

const folder = await mkdtemp(join(tmpdir(), "blkstack-own-target-"));
const registry = await LocalRegistry.serve(await packAll(join(folder, "packed")));

afterAll(async () => {
  registry.close();
  await rm(folder, { recursive: true, force: true });
});

it.skipIf(isMissing("nbdinfo"))(
  "a target is made, tested, packed, served and explored as the page says",
  async () => {
    const blocks = blocksOf(await readFile(join(ROOT, "docs", "own-target.md"), "utf8"));
    const theirs = await readFile(join(homedir(), ".npmrc"), "utf8").catch(() => "");
    const npmrc = `${theirs}\n@blkstack:registry=${registry.url}\nloglevel=error\naudit=false\nfund=false\n`;
    await writeFile(join(folder, ".npmrc"), npmrc);
    await mkdir(join(folder, "work"));
    await writeFile(join(folder, "script"), scriptOf(blocks));
    const { stdout } = await run("bash", [join(folder, "script")], {
      cwd: join(folder, "work"),
      timeoutMs: TIMEOUT_MS,
      env: {
        NO_COLOR: "1",
        npm_config_userconfig: join(folder, ".npmrc"),
        npm_config_cache: join(folder, "cache"),
      },
    });
    const expected = blocks.flatMap((block) => (block.kind === "run" ? [block.output] : []));
    expect(expected.length).toBeGreaterThanOrEqual(OUTPUTS_MIN);
    expect(outputsOf(stdout), stdout).toEqual(expected);
  },
  TIMEOUT_MS,
);
