// Publishes what changesets has given a new version; `--canary` everything that has a changeset, as
// 0.0.0-canary-…; `--dry-run` nothing: it packs every package, shows what would go out, and asks npm.
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import Table from "cli-table3";
import { packAll, type Packed, ROOT } from "./packed.ts";

const execute = promisify(execFile);
const OUTPUT_MAX_BYTES = 64 * 2 ** 20;

const { values } = parseArgs({
  options: { "dry-run": { type: "boolean" }, canary: { type: "boolean" } },
});

if (values["dry-run"] === true) await rehearse();
else if (values.canary === true) {
  changeset("version", "--snapshot", "canary");
  changeset("publish", "--tag", "canary", "--no-git-tag");
} else changeset("publish");

/** Runs changesets, which publishes with a provenance that npm can check. Ends the program when it fails. */
function changeset(...args: string[]): void {
  const { status } = spawnSync("npx", ["changeset", ...args], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, NPM_CONFIG_PROVENANCE: "true" },
  });
  if (status !== 0) process.exit(status ?? 1);
}

async function rehearse(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "blkstack-release-"));
  try {
    const packages = await packAll(folder);
    const table = new Table({
      head: ["package", "version", "tarball KB", "unpacked KB", "files", "dependencies", "peers"],
      style: { head: [], border: [], compact: true },
      colAligns: ["left", "left", "right", "right", "right", "right", "right"],
    });
    await askNpmAll(packages);
    for (const packed of packages) table.push(await rowOf(packed));
    console.log(table.toString());
    console.log(`npm would take all ${String(packages.length)} packages`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Asks of several at a time: npm mostly waits for itself to start. */
async function askNpmAll(packages: readonly Packed[]): Promise<void> {
  const left = packages.values();
  const asker = async (): Promise<void> => {
    for (const packed of left) await askNpm(packed);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, asker));
}

/** Throws when npm would refuse it. */
async function askNpm({ file }: Packed): Promise<void> {
  const args = ["publish", "--dry-run", "--access", "public", file];
  await execute("npm", args, { cwd: ROOT, maxBuffer: OUTPUT_MAX_BYTES });
}

async function rowOf({ name, version, file, contents, manifest }: Packed): Promise<string[]> {
  const entries = await readdir(contents, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  const unpackedBytes = sizes.reduce((sum, size) => sum + size, 0);
  const counts = [
    files,
    Object.keys(manifest.dependencies ?? {}),
    Object.keys(manifest.peerDependencies ?? {}),
  ];
  return [
    name,
    version,
    kilobytes((await stat(file)).size),
    kilobytes(unpackedBytes),
    ...counts.map(({ length }) => String(length)),
  ];
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
