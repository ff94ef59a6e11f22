// The page about snapshots says what happens: it is done here, word for word.
import { chmodSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, outputsOf, scriptOf } from "../src/page.ts";
import { BLKSTACK } from "../src/served.ts";
import { isMissing, run } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

const bench = new Workbench();
const blocks = blocksOf(read("docs/snapshots.md"));

afterAll(() => {
  bench.clear();
});

describe.skipIf(isMissing("qemu-io"))("docs/snapshots.md", () => {
  it("prints what the page says that it prints", async () => {
    bench.write("blkstack", `#!/bin/sh\nexec '${BLKSTACK}' "$@"\n`);
    chmodSync(bench.path("blkstack"), 0o755);
    const script = bench.write("script", scriptOf(blocks));
    const { stdout } = await run("bash", [script], { cwd: bench.folder });
    const expected = blocks.flatMap((block) => (block.kind === "run" ? [block.output] : []));
    expect(expected.length).toBeGreaterThan(5);
    expect(outputsOf(stdout)).toEqual(expected);
  });

  it("shows the example as it is, and leaves nothing out but virtual machines", () => {
    const example = blocks.find((block) => block.kind === "file" && block.name === "snapshot.yaml");
    expect(example).toMatchObject({ text: read("examples/snapshot.yaml") });
    for (const block of blocks) {
      if (block.kind === "shown") expect(block.commands).toMatch(/^qemu-system-x86_64 /);
    }
  });
});
