// Every package works with what its own package.json names: it is packed, unpacked where nothing else
// is near, and imported.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@blkstack/interop/tools";
import { afterAll, expect, it } from "vitest";
import { entriesOf, isolate } from "../src/isolated.ts";
import { packAll } from "../src/packed.ts";

const folder = await mkdtemp(join(tmpdir(), "blkstack-alone-"));
const packages = await packAll(folder);
await isolate(packages);

afterAll(() => rm(folder, { recursive: true, force: true }));

it("all that is published was packed", () => {
  expect(packages.length).toBeGreaterThan(35);
});

it("no tarball names what only a workspace knows", () => {
  for (const { manifest } of packages) {
    expect(JSON.stringify(manifest)).not.toMatch(/"(workspace|catalog):/);
  }
});

it.each(packages)("$name can be imported alone", async (packed) => {
  const imports = entriesOf(packed).map((entry) => `await import(${JSON.stringify(entry)});`);
  // What registers tests when it is imported may do so: nobody runs them.
  const code = [...imports, "console.log('imported')"].join("\n");
  const { status, stdout, stderr } = await run(
    process.execPath,
    ["--input-type=module", "--eval", code],
    { cwd: packed.contents },
  );
  expect({ status, stderr, stdout }).toMatchObject({ status: 0, stdout: "imported\n" });
});

it.each(packages.filter(({ manifest }) => manifest.bin !== undefined))(
  "the command of $name tells how it is used",
  async ({ contents, manifest }) => {
    for (const path of Object.values(manifest.bin ?? {})) {
      const { status, stdout } = await run(process.execPath, [join(contents, path), "--help"]);
      expect({ status, stdout }).toMatchObject({ status: 0 });
      expect(stdout).toMatch(/^usage: /i);
    }
  },
);
