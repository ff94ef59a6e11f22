import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";
import { CHUNK_BYTES, type CowImage, writeCow } from "./cow-image.ts";

const ENTRIES = [
  [10, 2],
  [11, 3],
  [20, 4],
] as const;

async function info(image: CowImage, ...options: readonly string[]) {
  const cwd = await temporaryFolder();
  await writeCow(cwd, image);
  return run(["snapshot", "info", "s.cow", ...options], { cwd });
}

it("a healthy COW image is told with its numbers, and left as it is", async () => {
  const cwd = await temporaryFolder();
  await writeCow(cwd, { entries: ENTRIES });
  const before = await readFile(join(cwd, "s.cow"));
  const { mtimeMs } = await stat(join(cwd, "s.cow"));
  expect(await run(["snapshot", "info", "s.cow"], { cwd })).toEqual({
    status: 0,
    stderr: "",
    stdout: [
      "s.cow: nothing wrong",
      "header            magic 0x70416e53, version 1, valid 1",
      "chunk size        8 sectors (4 KiB)",
      "exceptions        3 in 1 area",
      "room for          11 more",
      "used              40 sectors (20 KiB) of 128 sectors (64 KiB), 31.3 %",
      "of that metadata  16 sectors (8 KiB)",
      "",
    ].join("\n"),
  });
  expect((await readFile(join(cwd, "s.cow"))).equals(before)).toBe(true);
  expect((await stat(join(cwd, "s.cow"))).mtimeMs).toBe(mtimeMs);
});

it("--json is one object with the same", async () => {
  const { status, stdout } = await info({ entries: ENTRIES }, "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    file: "s.cow",
    header: { magic: 0x7041_6e53, valid: 1, version: 1, chunkSectors: 8 },
    state: "valid",
    totalSectors: 128,
    exceptions: 3,
    areas: 1,
    usedSectors: 40,
    metadataSectors: 16,
    usedPercent: 31.25,
    problems: [],
    problemCount: 0,
    remainingChunks: 11,
    isNearlyFull: false,
  });
});

it("a store that gets full is healthy, and warned of", async () => {
  const entries = Array.from({ length: 13 }, (_, index) => [index, index + 2] as const);
  const { status, stdout } = await info({ entries });
  expect(status).toBe(0);
  expect(stdout).toContain("room for          1 more\n");
  expect(stdout).toContain("warning: more than 90 % full\n");
});

it("zeros are a store to be", async () => {
  const { status, stdout } = await info({ magic: 0, valid: 0, version: 0, chunkSectors: 0 });
  expect([status, stdout]).toEqual([0, expect.stringContaining("s.cow: empty; becomes a store")]);
});

/** What is done to an image, what it is called, and a word of the line about it. */
const DAMAGES: readonly (readonly [kind: string, image: CowImage, words: string])[] = [
  ["bad-magic", { magic: 0x1234 }, "Invalid or corrupt snapshot"],
  ["bad-version", { version: 7 }, "unable to handle snapshot disk version 7"],
  ["bad-chunk-size", { chunkSectors: 7 }, "invalid on-disk chunk size 7"],
  ["invalidated", { valid: 0, entries: ENTRIES }, "marked as invalid"],
  ["duplicate-old-chunk", { entries: [...ENTRIES, [11, 5]] }, "exception 11 → 5 comes behind"],
  ["duplicate-new-chunk", { entries: [...ENTRIES, [30, 3]] }, "shares its place with old chunk 11"],
  ["new-chunk-is-metadata", { entries: [[10, 1]] }, "exception 10 → 1 lies on metadata"],
  ["new-chunk-beyond-device", { entries: [[10, 16]] }, "10 → 16 lies behind the end"],
  ["entries-behind-end", { entries: [...ENTRIES, [0, 0], [40, 6]] }, "more behind its 3"],
];

it.each(DAMAGES)("%s is told in a line, with exit status 1", async (kind, image, words) => {
  const { status, stdout, stderr } = await info(image);
  expect([status, stderr]).toEqual([1, ""]);
  expect(stdout).toMatch(/^s\.cow: damaged\n/);
  const wrong = stdout.split("\n").filter((line) => line.startsWith("wrong "));
  expect(wrong).toEqual([expect.stringMatching(new RegExp(`^wrong ${kind}: .*${words}`))]);
});

it.each([
  ["behind its header", CHUNK_BYTES, "area 0, in chunk 1, lies behind the end"],
  ["inside its header", 100, "too short for a header"],
  ["to nothing", 0, "too short for a header"],
])("an image that was cut off %s is told of as truncated", async (_where, bytes, words) => {
  const cwd = await temporaryFolder();
  await writeCow(cwd, { entries: ENTRIES });
  await truncate(join(cwd, "s.cow"), bytes);
  const { status, stdout } = await run(["snapshot", "info", "s.cow"], { cwd });
  expect([status, stdout]).toEqual([1, expect.stringContaining(`wrong truncated: `)]);
  expect(stdout).toContain(words);
});

it("what is no COW image, and no file, is a mistake of the user", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "text"), "this is no image, but longer than a sector".repeat(30));
  expect((await run(["snapshot", "info", "text"], { cwd })).status).toBe(1);
  const told = async (...argv: string[]) => {
    const { status, stdout, stderr } = await run(["snapshot", ...argv], { cwd });
    expect([status, stdout]).toEqual([2, ""]);
    return stderr;
  };
  expect(await told("info", "none")).toBe("blkstack: cannot read the COW image none: ENOENT\n");
  expect(await told("info", ".")).toBe("blkstack: . is no file; give a COW image\n");
  expect(await told("info")).toBe("blkstack: missing required argument 'cow'\n");
  expect(await told("inf", "x")).toBe("blkstack: unknown command 'inf' (Did you mean info?)\n");
});
