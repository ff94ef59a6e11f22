import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateTargetError } from "./create-target-error.ts";
import { namesOf, type TargetNames, withNames } from "./names.ts";
import { checkoutAround } from "./place.ts";
import { rangesOutside, testedRanges } from "./ranges.ts";

export { CreateTargetError };

const TEMPLATE = fileURLToPath(new URL("../template", import.meta.url));

/** What tools would take for their own if the template had it under its name. */
const RENAMED: Readonly<Record<string, string>> = {
  "examples/count.txt": "examples/count.ts",
  gitignore: ".gitignore",
  "manifest.json": "package.json",
};

/**
 * In a checkout the suite explores enough, sources name nothing that is not shipped, and the stacks of
 * all targets stand on floors above.
 */
const STANDALONE_ONLY = new Set(["scenarios.ts", "explored.test.ts", "stacks.test.ts"]);

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
  const sources = (await readdir(join(TEMPLATE, "src")))
    .filter((file) => checkout === null || !STANDALONE_ONLY.has(file))
    .map((file) => [join("src", file), join("src", file)] as const);
  const rest = (await readdir(join(TEMPLATE, part), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(join(TEMPLATE, part), join(parentPath, name)))
    .map((file) => [join(part, file), RENAMED[file] ?? file] as const);
  const files: string[] = [];
  for (const [from, to] of [...sources, ...rest]) {
    const target = join(folder, withNames(to, names));
    const text = withNames(await readFile(join(TEMPLATE, from), "utf8"), names);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, withRanges(text, ranges));
    files.push(target);
  }
  if (checkout !== null) files.push(...(await joinCheckout(checkout, folder, names)));
  const next = nextSteps(checkout, basename(folder));
  return { packageName: names.packageName, folder, files: files.sort(), next };
}

function nextSteps(checkout: string | null, folderName: string): string[] {
  if (checkout === null) return [`cd ${folderName}`, "npm install", "npm test"];
  const place = `packages/${folderName}`;
  return [
    "pnpm install && pnpm build",
    `pnpm exec prettier --write ${place}`,
    `pnpm vitest run --project unit ${place}`,
    `pnpm --filter ./${place} exec api-extractor run --local`,
    "a line in README.md and in ARCHITECTURE.md",
  ];
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
  await mkdir(join(folder, "api"), { recursive: true });
  const path = join(checkout, "tooling", "layers.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/^( *)"@blkstack\/dm-linear",$/m, `$&\n$1"${packageName}",`));
  return shared.map((file) => join(folder, file));
}
