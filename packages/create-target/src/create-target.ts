import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateTargetError } from "./create-target-error.ts";
import { namesOf, type TargetNames, withNames } from "./names.ts";
import { checkoutAround } from "./place.ts";
import { rangesOutside, testedRanges } from "./ranges.ts";

export { CreateTargetError };

const TEMPLATE = fileURLToPath(new URL("../template", import.meta.url));

/** What npm would take for its own if the template had it under its name. */
const RENAMED: Readonly<Record<string, string>> = {
  gitignore: ".gitignore",
  "manifest.json": "package.json",
};

/** What a user wants. */
export interface TargetWish {
  /** The word in tables: small letters, digits and dashes. */
  readonly name: string;
  /** Where the user is: decides whether the package becomes part of a checkout of blkstack. */
  readonly cwd: string;
  /** Default: `@blkstack/dm-NAME` in a checkout, else `dm-NAME`. */
  readonly packageName?: string;
  /** Relative to `cwd`. Default: `packages/dm-NAME` of the checkout, else `dm-NAME`. */
  readonly folder?: string;
}

/** What there is now. */
export interface CreatedTarget {
  readonly packageName: string;
  readonly folder: string;
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Commands that show that it works. */
  readonly next: readonly string[];
}

/**
 * Makes a package with a target that builds, passes its tests, and waits to be changed.
 *
 * Throws a CreateTargetError for names that will not do and a folder in which something is; then
 * nothing was made.
 */
export async function createTarget(wish: TargetWish): Promise<CreatedTarget> {
  const checkout = checkoutAround(wish.cwd);
  const usualName = `${checkout === null ? "" : "@blkstack/"}dm-${wish.name}`;
  const names = namesOf(wish.name, wish.packageName ?? usualName);
  const usualFolder =
    checkout === null ? `dm-${names.word}` : join(checkout, "packages", `dm-${names.word}`);
  const folder = resolve(wish.cwd, wish.folder ?? usualFolder);
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw new CreateTargetError(`${folder} is there and not empty; give another with --folder`);
  }
  const tested = await testedRanges();
  const ranges = checkout === null ? rangesOutside(tested) : tested;
  const part = checkout === null ? "standalone" : "workspace";
  const files = [
    ...(await copyNamed(join(TEMPLATE, "src"), join(folder, "src"), names)),
    ...(await copyNamed(join(TEMPLATE, part), folder, names, ranges)),
    await copyFileNamed(join(TEMPLATE, "README.md"), join(folder, "README.md"), names),
  ];
  if (checkout === null) {
    files.sort();
    const next = [`cd ${basename(folder)}`, "npm install", "npm test"];
    return { packageName: names.packageName, folder, files, next };
  }
  files.push(...(await joinCheckout(checkout, folder, names)));
  const filter = `packages/${basename(folder)}`;
  const next = ["pnpm install", `pnpm vitest run --project unit ${filter}`];
  return { packageName: names.packageName, folder, files, next };
}

/** Copies a folder of the template, with the names, and the ranges in its package.json. */
async function copyNamed(
  from: string,
  to: string,
  names: TargetNames,
  ranges: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const found = await readdir(from);
  return Promise.all(
    found.map(async (file) => {
      const target = join(to, withNames(RENAMED[file] ?? file, names));
      return copyFileNamed(join(from, file), target, names, ranges);
    }),
  );
}

async function copyFileNamed(
  from: string,
  to: string,
  names: TargetNames,
  ranges: Readonly<Record<string, string>> = {},
): Promise<string> {
  const text = withNames(await readFile(from, "utf8"), names);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, withRanges(text, ranges));
  return to;
}

/** Fills in the ranges that a package.json of the template leaves empty. */
function withRanges(text: string, ranges: Readonly<Record<string, string>>): string {
  return text.replace(/"([^"]+)": ""/g, (line, name: string) => {
    const range = ranges[name];
    return range === undefined ? line : `"${name}": "${range}"`;
  });
}

/** What each package of the checkout has besides, copied from another target; and a floor. */
async function joinCheckout(
  checkout: string,
  folder: string,
  { packageName }: TargetNames,
): Promise<string[]> {
  const shared = ["LICENSE", "tsconfig.json", "tsconfig.build.json", "api-extractor.json"];
  const ours = join(checkout, "packages", "dm-linear");
  for (const file of shared) await cp(join(ours, file), join(folder, file));
  const path = join(checkout, "tooling", "layers.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/^( *)"@blkstack\/dm-linear",$/m, `$&\n$1"${packageName}",`));
  return shared.map((file) => join(folder, file));
}
