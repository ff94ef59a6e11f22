import { copyFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { beforeEach, expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

const RECORDED = join(import.meta.dirname, "golden/i-log-writes");
const unzip = promisify(gunzip);

/** A folder with the log that a kernel made, and its disk before and after. */
let cwd: string;
beforeEach(async () => {
  cwd = await temporaryFolder();
  for (const [name, file] of [
    ["w.log", "log.after0.img.gz"],
    ["disk.img", "data.before.img.gz"],
    ["after.img", "data.after0.img.gz"],
  ] as const) {
    await writeFile(join(cwd, name), await unzip(await readFile(join(RECORDED, file))));
  }
});

it("a log of a kernel is told with its numbers and its marks", async () => {
  expect(await run(["log", "info", "w.log"], { cwd })).toEqual({
    status: 0,
    stderr: "",
    stdout: [
      "w.log: whole",
      "block size     512 bytes",
      "entries        16 of 16",
      "writes         8, 342528 bytes",
      "discards       1",
      "flushes        3, and 1 with FUA",
      "used           351232 bytes",
      "for a disk of  1208 sectors at least",
      "mark first (entry 1)",
      "mark after-fua (entry 8)",
      "mark a-rather-long-mark-name-0123456789 (entry 9)",
      "mark dm-log-writes-end (entry 16)",
      "",
    ].join("\n"),
  });
});

it("replayed as a whole it gives the disk that the kernel left", async () => {
  const { status, stdout } = await run(["log", "replay", "w.log", "disk.img"], { cwd });
  expect([status, stdout]).toEqual([
    0,
    "disk.img: replayed 16 entries: 8 writes (342528 bytes), 1 discards\n",
  ]);
  const [here, there] = await Promise.all(
    ["disk.img", "after.img"].map((name) => readFile(join(cwd, name))),
  );
  expect(Buffer.compare(here!, there!)).toBe(0);
});

it("replayed up to a mark, or so many entries, it gives the disk as it was there", async () => {
  await copyFile(join(cwd, "disk.img"), join(cwd, "other.img"));
  const marked = ["log", "replay", "w.log", "disk.img", "--to", "after-fua", "--json"];
  const { stdout } = await run(marked, { cwd });
  expect(JSON.parse(stdout)).toEqual({
    log: "w.log",
    disk: "disk.img",
    entries: 8,
    writes: 4,
    discards: 0,
    dataBytes: 45 * 512,
  });
  await run(["log", "replay", "w.log", "other.img", "--to", "8"], { cwd });
  const [disk, other] = await Promise.all(
    ["disk.img", "other.img"].map((name) => readFile(join(cwd, name))),
  );
  expect(Buffer.compare(disk!, other!)).toBe(0);
  // The discard came later.
  expect(disk!.subarray(200 * 512, 201 * 512).some((byte) => byte !== 0)).toBe(true);
});

it("--json has the same, and a damaged log is found out", async () => {
  await truncate(join(cwd, "w.log"), 100 * 512);
  const { status, stdout } = await run(["log", "info", "w.log", "--json"], { cwd });
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    file: "w.log",
    claimedEntries: 16,
    entries: 12,
    isEnded: false,
    problem: { kind: "truncated" },
  });
  const text = await run(["log", "info", "w.log"], { cwd });
  expect(text.stdout).toContain("w.log: damaged\n");
  expect(text.stdout).toMatch(
    /\nwrong truncated: the log ends inside the 307200 bytes of entry 13\n$/,
  );
});

it.each<[what: string, args: string[], complaint: string]>([
  ["no log", ["info", "none.log"], "cannot open the log none.log: ENOENT"],
  ["a folder for a log", ["info", "."], ". is no file; give the image of a log"],
  ["no disk", ["replay", "w.log", "none.img"], "cannot open the disk none.img: ENOENT"],
  [
    "a mark that there is not",
    ["replay", "w.log", "disk.img", "--to", "never"],
    'w.log (not-there): the log has no mark "never" among its 16 entries',
  ],
  [
    "what is no log",
    ["replay", "disk.img", "disk.img"],
    "disk.img (bad-magic): it starts with 0x0, which no log does",
  ],
])("%s is refused, and nothing is written", async (_what, args, complaint) => {
  const before = await readFile(join(cwd, "disk.img"));
  const { status, stdout, stderr } = await run(["log", ...args], { cwd });
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: "",
    stderr: `blkstack: ${complaint}\n`,
  });
  expect((await readFile(join(cwd, "disk.img"))).equals(before)).toBe(true);
});

it("a disk that is too small is left as it is", async () => {
  await truncate(join(cwd, "disk.img"), 600 * 512);
  const before = await readFile(join(cwd, "disk.img"));
  const { status, stderr } = await run(["log", "replay", "w.log", "disk.img"], { cwd });
  expect([status, stderr]).toEqual([
    2,
    "blkstack: w.log (beyond-target): entry 13 is for sectors 500+600 of 600\n",
  ]);
  expect((await readFile(join(cwd, "disk.img"))).equals(before)).toBe(true);
});
