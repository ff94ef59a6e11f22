// The rules of the house that no linter knows: what files may say, and what every package has.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const CODE_LINES_MAX = 400;
const GROUPS = ["packages", "apps", "integration"];

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
}

const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");
const manifestOf = (folder: string): Manifest =>
  JSON.parse(read(folder, "package.json")) as Manifest;
const folders = GROUPS.flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, "package.json"))),
);
const packages = folders.filter((folder) => folder.startsWith("packages/"));

/** The TypeScript of the workspace that people wrote, relative to the root. */
const sources = folders
  .flatMap((folder) => ["src", "test", "examples"].map((part) => join(root, folder, part)))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => relative(root, join(folder, name))),
  );

/** Those that users get, or that the command line is made of. */
const products = sources.filter(
  (file) => file.includes("/src/") && !/\.test(?:-d)?\.ts$/.test(file),
);

/** Lines that are neither blank nor comment. */
function codeLines(text: string): number {
  const withoutBlocks = text.replace(/^\s*\/\*[^]*?\*\//gm, "");
  return withoutBlocks.split("\n").filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length;
}

/** Every line of the sources that says something of the kind, as `file:line: text`. */
function linesWith(pattern: RegExp, files: readonly string[]): string[] {
  return files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${String(index + 1)}: ${line.trim()}`] : [],
      ),
  );
}

describe("a source file", () => {
  it("has at most 400 lines of code", () => {
    const long = products
      .map((file) => ({ file, lines: codeLines(read(file)) }))
      .filter(({ lines }) => lines > CODE_LINES_MAX);
    expect(long).toEqual([]);
  });

  it("leaves nothing to be done later", () => {
    expect(linesWith(/\b(?:TODO|FIXME|XXX)\b/, sources)).toEqual([]);
  });

  it("names no place on the machine it was written on", () => {
    expect(products.length).toBeGreaterThan(100);
    expect(linesWith(/(?<![\w.$}])\/(?:work|root|home|tmp)(?:\/|\b)/, products)).toEqual([]);
  });
});

describe.each(packages)("%s", (folder) => {
  const manifest = manifestOf(folder);

  it("has a README that begins with its name, the licence, and a report of its API", () => {
    expect(manifest.private).toBeUndefined();
    expect(read(folder, "README.md").split("\n")[0]).toBe(`# ${manifest.name}`);
    expect(read(folder, "LICENSE")).toBe(read("LICENSE"));
    const name = folder.replace("packages/", "");
    expect(existsSync(join(root, folder, "api", `${name}.api.md`))).toBe(true);
  });

  it("is in the table of the README of the workspace", () => {
    expect(read("README.md")).toContain(`](${folder})`);
  });
});

describe("what is no package of the floors below", () => {
  it("says what it is, and that it is not published, or has the licence", () => {
    for (const folder of folders.filter((each) => !packages.includes(each))) {
      expect(existsSync(join(root, folder, "README.md")), `${folder}/README.md`).toBe(true);
      if (manifestOf(folder).private === true) continue;
      expect(read(folder, "LICENSE"), folder).toBe(read("LICENSE"));
    }
  });
});

describe("ARCHITECTURE.md", () => {
  it("names no file or folder that is not there", () => {
    const paths = read("ARCHITECTURE.md").match(
      /\b(?:packages|apps|integration|tooling)\/[\w./-]*\w/g,
    );
    expect(paths?.length).toBeGreaterThan(20);
    expect(paths?.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("has the floors of tooling/layers.json", () => {
    const { layers } = JSON.parse(read("tooling", "layers.json")) as { layers: string[][] };
    const rows = [...read("ARCHITECTURE.md").matchAll(/^\| (\d+) +\| ([^|]+)\|/gm)];
    const folderOf = new Map(folders.map((folder) => [manifestOf(folder).name, folder]));
    const shown = rows.map(([, floor, names = ""]) => {
      const named = [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) =>
        name.includes("/") ? name : `packages/${name}`,
      );
      const all = named.flatMap((name) =>
        name.endsWith("/*")
          ? folders.filter((folder) => folder.startsWith(name.slice(0, -1)))
          : [name],
      );
      return [Number(floor), all.sort()];
    });
    const real = layers.map((names, floor) => [
      floor,
      names.map((name) => folderOf.get(name) ?? name).sort(),
    ]);
    expect(shown).toEqual(real);
  });
});
