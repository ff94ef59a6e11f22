import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createTarget, CreateTargetError } from "./create-target.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "create-target-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file below, by its path, with its text. */
async function textsIn(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [relative(folder, path), await readFile(path, "utf8")] as const;
  });
  return new Map(await Promise.all(read));
}

it("a target of one's own has its name wherever the template had another", async () => {
  const cwd = await temporaryFolder();
  const { folder, files, next } = await createTarget({
    name: "write-log",
    packageName: "@me/dm-write-log",
    cwd,
  });
  expect(folder).toBe(join(cwd, "dm-write-log"));
  const texts = await textsIn(folder);
  expect([...texts.keys()].sort()).toEqual(files.map((file) => relative(folder, file)).sort());
  for (const [path, text] of texts) {
    expect(path + text).not.toMatch(/example-?target|": ""/i);
  }
  expect(texts.get("src/write-log.ts")).toContain("export const writeLogTarget: TargetType");
  expect(texts.get("src/write-log.ts")).toContain('name: "write-log"');
  expect(texts.get("package.json")).toContain('"name": "@me/dm-write-log"');
  expect(texts.has(".gitignore")).toBe(true);
  expect(next).toEqual(["cd dm-write-log", "npm install", "npm test"]);
});

it("elsewhere it takes versions that mean something there", async () => {
  const { folder } = await createTarget({ name: "xor", cwd: await temporaryFolder() });
  const manifest = await readFile(join(folder, "package.json"), "utf8");
  const { peerDependencies, devDependencies } = JSON.parse(manifest) as Record<
    "peerDependencies" | "devDependencies",
    Record<string, string>
  >;
  const ranges = [...Object.values(peerDependencies), ...Object.values(devDependencies)];
  for (const range of ranges) expect(range).toMatch(/^\^?\d+\.\d+\.\d+$/);
});

it("in a checkout it becomes one of its packages, on the floor of the targets", async () => {
  const checkout = await temporaryFolder();
  const layers =
    '{\n  "layers": [\n    [\n      "@blkstack/dm-linear",\n      "@blkstack/loop"\n    ]\n  ]\n}\n';
  await mkdir(join(checkout, "tooling"));
  await writeFile(join(checkout, "tooling", "layers.json"), layers);
  await mkdir(join(checkout, "packages", "dm-linear"), { recursive: true });
  const shared = ["LICENSE", "tsconfig.json", "tsconfig.build.json", "api-extractor.json"];
  for (const file of shared) await writeFile(join(checkout, "packages", "dm-linear", file), file);
  const cwd = join(checkout, "packages");
  const { folder, packageName } = await createTarget({ name: "xor", cwd });
  expect(folder).toBe(join(checkout, "packages", "dm-xor"));
  expect(packageName).toBe("@blkstack/dm-xor");
  expect(JSON.parse(await readFile(join(checkout, "tooling", "layers.json"), "utf8"))).toEqual({
    layers: [["@blkstack/dm-linear", "@blkstack/dm-xor", "@blkstack/loop"]],
  });
  const texts = await textsIn(folder);
  expect(texts.get("package.json")).toContain('"@blkstack/bio": "workspace:^"');
  for (const file of shared) expect(texts.get(file)).toBe(file);
});

it.each([
  ["Xor", 'the name "Xor" will not do; it should be small letters'],
  ["a--b", 'the name "a--b" will not do'],
  ["../up", 'the name "../up" will not do'],
  ["longer-than-names", "15 characters at most"],
])("a name that tables would not take is refused: %s", async (name, message) => {
  const cwd = await temporaryFolder();
  await expect(createTarget({ name, cwd })).rejects.toThrow(message);
  expect(await readdir(cwd)).toEqual([]);
});

it("a package name that npm would not take is refused", async () => {
  const cwd = await temporaryFolder();
  const wish = createTarget({ name: "xor", cwd, packageName: "Not A Name" });
  await expect(wish).rejects.toThrow('the package name "Not A Name" will not do');
});

it("what is there already stays as it is", async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "dm-xor"));
  await writeFile(join(cwd, "dm-xor", "mine.txt"), "mine");
  const error = await createTarget({ name: "xor", cwd }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(CreateTargetError);
  expect(String(error)).toContain("is there and not empty; give another with --folder");
  expect(await readdir(join(cwd, "dm-xor"))).toEqual(["mine.txt"]);
});
