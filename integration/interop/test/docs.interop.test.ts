// These pages say what happens: it is done here, word for word.
import { chmodSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, outputsOf, scriptOf } from "../src/page.ts";
import { BLKSTACK } from "../src/served.ts";
import { isMissing, run } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

const PAGES = [
  { page: "stacks", example: "linear-over-two-files.yaml", outputsMin: 5 },
  { page: "snapshots", example: "snapshot.yaml", outputsMin: 8 },
  { page: "faults", example: "faults.yaml", outputsMin: 5 },
  { page: "operating", example: "operating.yaml", outputsMin: 6 },
  { page: "tls", example: "tls.yaml", outputsMin: 5 },
  { page: "remote-disks", example: "remote.yaml", outputsMin: 2 },
  { page: "crash-testing", example: "crash.yaml", outputsMin: 4 },
  { page: "groups", example: "weights.yaml", outputsMin: 6 },
];

const benches: Workbench[] = [];

afterAll(() => {
  for (const bench of benches) bench.clear();
});

describe.skipIf(isMissing("qemu-io", "nbdcopy", "openssl")).each(PAGES)(
  "docs/$page",
  ({ page, example, outputsMin }) => {
    const blocks = blocksOf(read(`docs/${page}.md`));

    it("prints what the page says that it prints", async () => {
      const bench = new Workbench();
      benches.push(bench);
      bench.write("blkstack", `#!/bin/sh\nexec '${BLKSTACK}' "$@"\n`);
      chmodSync(bench.path("blkstack"), 0o755);
      const script = bench.write("script", scriptOf(blocks));
      const { stdout } = await run("bash", [script], { cwd: bench.folder, timeoutMs: 110_000 });
      const expected = blocks.flatMap((block) => (block.kind === "run" ? [block.output] : []));
      expect(expected.length).toBeGreaterThanOrEqual(outputsMin);
      expect(outputsOf(stdout)).toEqual(expected);
    });

    it("shows the example as it is, and leaves nothing out but virtual machines", () => {
      const file = blocks.find((block) => block.kind === "file" && block.name === example);
      expect(file).toMatchObject({ text: read(`examples/${example}`) });
      for (const block of blocks) {
        if (block.kind === "shown") expect(block.commands).toMatch(/^qemu-system-x86_64 /);
      }
    });
  },
);
