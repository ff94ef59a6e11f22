import { execFile } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The checkout. */
export const ROOT: string = fileURLToPath(new URL("../../..", import.meta.url));

/** What of a package.json counts here. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A package as it would be published. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  /** Of the tarball. */
  readonly file: string;
  /** Where it was packed from. */
  readonly folder: string;
  /** As it is in the tarball: with versions in the place of `workspace:` and `catalog:`. */
  readonly manifest: Manifest;
  /** What it unpacks to. */
  readonly contents: string;
}

interface PnpmPacked {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
}

const execute = promisify(execFile);
const OUTPUT_MAX_BYTES = 64 * 2 ** 20;

/** Packs every package that is published, into a folder, and unpacks it there. Needs a build. */
export async function packAll(into: string): Promise<Packed[]> {
  await mkdir(into, { recursive: true });
  const { packageManager } = await manifestIn(ROOT);
  const args = [
    "--yes",
    packageManager ?? "pnpm",
    "-r",
    "pack",
    "--json",
    "--pack-destination",
    into,
  ];
  const { stdout } = await execute("npx", args, { cwd: ROOT, maxBuffer: OUTPUT_MAX_BYTES });
  const folders = await workspaceFolders();
  const packed = (JSON.parse(stdout) as PnpmPacked[]).map(async ({ name, version, filename }) => {
    const folder = folders.get(name);
    if (folder === undefined || (await manifestIn(folder)).private === true) return null;
    const contents = join(into, "unpacked", name, "node_modules", name);
    await mkdir(contents, { recursive: true });
    await execute("tar", ["-xzf", filename, "-C", contents, "--strip-components=1"]);
    const manifest = await manifestIn(contents);
    return { name, version, file: filename, folder, manifest, contents };
  });
  return (await Promise.all(packed)).filter((each) => each !== null);
}

async function manifestIn(
  folder: string,
): Promise<Manifest & { readonly packageManager?: string }> {
  const text = await readFile(join(folder, "package.json"), "utf8");
  return JSON.parse(text) as Manifest & { readonly packageManager?: string };
}

/** The folder of each package of the workspace, by name. */
async function workspaceFolders(): Promise<ReadonlyMap<string, string>> {
  const groups = ["packages", "apps", "integration"].map(async (group) => {
    const entries = await readdir(join(ROOT, group), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(ROOT, group, name));
  });
  const folders = (await Promise.all(groups)).flat();
  const named = folders.map(async (folder) => [(await manifestIn(folder)).name, folder] as const);
  return new Map(await Promise.all(named));
}
