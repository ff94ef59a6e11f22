// What is wrong is said in one line, with exit status 2, and nothing is left behind.
import { createServer, type Server } from "node:net";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { BLKSTACK } from "../src/served.ts";
import { run, succeed } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

let bench: Workbench;

beforeAll(async () => {
  // A first use prepares the checkout, and says so on stderr.
  await succeed(BLKSTACK, ["--help"], { timeoutMs: 110_000 });
});

beforeEach(() => {
  bench = new Workbench();
});

afterEach(() => {
  bench.clear();
});

interface Parts {
  readonly disks?: string;
  readonly table?: string;
  readonly rest?: string;
}

const DISKS = "new: { file: ./new.img, size: 1MiB, create: true }";

function stackFile({ disks = DISKS, table = "0 2048 linear new 0", rest = "" }: Parts): string {
  const lines = table.split("\n").join("\n    ");
  return `disks:\n  ${disks}\ndevices:\n  md: |\n    ${lines}\nexports:\n  md: { device: md }\n${rest}`;
}

it.each<[string, Parts, RegExp]>([
  ["a gap in a table", { table: "0 1024 linear new 0\n1032 1016 linear new 1024" }, /gap/i],
  ["an overlap in a table", { table: "0 1024 linear new 0\n512 1024 linear new 0" }, /md/],
  ["a segment beyond the end", { table: "0 2048 linear new 8" }, /new/],
  ["a missing file", { disks: "new: { file: ./none.img }" }, /none\.img/],
  ["a folder for a file", { disks: "new: { file: . }" }, /director/i],
  ["a number that is none", { table: "0 2048 linear new 12x" }, /12x|device sector/],
  ["a length that is none", { table: "0 many linear new 0" }, /many/],
  ["an unknown target", { table: "0 2048 liner new 0" }, /liner/],
  ["an unknown disk", { table: "0 2048 linear knew 0" }, /knew/],
  ["a misspelt key", { rest: "exprots: {}\n" }, /exprots/],
  ["a size that is no whole number of sectors", { disks: "new: { ram: 1000 }" }, /512/],
  ["what is no YAML", { rest: "]: [\n" }, /stack\.yaml:\d+/],
  ["an export of nothing", { rest: "  other: { device: nothing }\n" }, /nothing/],
])("%s", async (_name, parts, words) => {
  bench.write("stack.yaml", stackFile(parts));
  const args = ["serve", "stack.yaml", "--listen", `unix:${bench.path("nbd.sock")}`];
  const { status, stdout, stderr } = await run(BLKSTACK, args, { cwd: bench.folder });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toMatch(words);
  expect([status, stdout]).toEqual([2, ""]);
  expect(readdirSync(bench.folder)).toEqual(["stack.yaml"]);
});

it("a stack file that is not there", async () => {
  const { status, stderr } = await run(BLKSTACK, ["serve", "none.yaml"], { cwd: bench.folder });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^[^\n]*none\.yaml[^\n]*\n$/)]);
  expect(readdirSync(bench.folder)).toEqual([]);
});

it("an address that is none", async () => {
  bench.write("stack.yaml", stackFile({}));
  const args = ["serve", "stack.yaml", "--listen", "nowhere"];
  const { status, stderr } = await run(BLKSTACK, args, { cwd: bench.folder });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^[^\n]*nowhere[^\n]*\n$/)]);
  expect(readdirSync(bench.folder)).toEqual(["stack.yaml"]);
});

it("a socket that somebody listens on, who keeps it", async () => {
  bench.write("stack.yaml", stackFile({}));
  const path = bench.path("nbd.sock");
  const other = await listen(path);
  try {
    const args = ["serve", "stack.yaml", "--listen", `unix:${path}`];
    const { status, stderr } = await run(BLKSTACK, args, { cwd: bench.folder });
    expect(stderr).toMatch(/^[^\n]*nbd\.sock[^\n]*\n$/);
    expect(status).toBe(2);
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(bench.folder).sort()).toEqual(["nbd.sock", "stack.yaml"]);
  } finally {
    other.close();
  }
});

it("a place for a socket where a file is, which stays as it is", async () => {
  bench.write("stack.yaml", stackFile({}));
  const path = bench.write("nbd.sock", "precious");
  const args = ["serve", "stack.yaml", "--listen", `unix:${path}`];
  const { status, stderr } = await run(BLKSTACK, args, { cwd: bench.folder });
  expect(stderr).toMatch(/^[^\n]*nbd\.sock[^\n]*\n$/);
  expect(status).toBe(2);
  expect(readdirSync(bench.folder).sort()).toEqual(["nbd.sock", "stack.yaml"]);
});

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(path, () => {
      resolve(server);
    });
  });
}
