// What standard clients make of a device of three linear segments over two image files: where its
// lines are. What they make of any device are rows of the conformance suites.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
/** 32 MiB of a.img, 20 MiB of b.img, 16 MiB of a.img again. */
const STACK = `
disks:
  a: { file: ./a.img, size: 64MiB, create: true }
  b: { file: ./b.img, size: 48MiB, create: true }
devices:
  joined: |
    0 65536 linear a 2048
    65536 40960 linear b 0
    106496 32768 linear a 98304
exports:
  joined: { device: joined }
`;
const SIZE_BYTES = 68 * MIB;
const FIRST_LINE = 32 * MIB;
const SECOND_LINE = 52 * MIB;

const bench = new Workbench();
let served: Served;
let uri = "";
let filesBefore: string[] = [];

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  const listen = `unix:${bench.path("nbd.sock")}`;
  served = await Served.start(["stack.yaml", "--listen", listen], bench.folder);
  [uri = ""] = served.uris;
  filesBefore = served.openFiles();
});

afterAll(async () => {
  await served.stop("SIGKILL");
  bench.clear();
});

it("prints one address, which names the export and the socket", () => {
  expect(served.uris).toEqual([`nbd+unix:///joined?socket=${bench.path("nbd.sock")}`]);
});

describe.skipIf(isMissing("nbdinfo"))("nbdinfo", () => {
  it("lists the export by its name, and has the layers of the stack for who asks", async () => {
    const listed = await succeed("nbdinfo", ["--list", uri]);
    expect(listed).toContain('"joined"');
    const layers = await succeed("nbdinfo", ["--map=blkstack:layer", "--json", uri]);
    expect(JSON.parse(layers)).toMatchObject([{ offset: 0, length: SIZE_BYTES, type: 0 }]);
  });
});

describe.skipIf(isMissing("nbdcopy"))("nbdcopy", () => {
  it("brings an image in and out again, the same to the last bit", async () => {
    bench.writePattern("in.raw", SIZE_BYTES);
    await succeed("nbdcopy", ["--flush", bench.path("in.raw"), uri]);
    await succeed("nbdcopy", [uri, bench.path("out.raw")]);
    expect(await bench.sha256("out.raw")).toBe(await bench.sha256("in.raw"));
  });

  it("has put each segment where the table says", () => {
    const part = (name: string, from: number, to: number): Buffer =>
      readFileSync(bench.path(name)).subarray(from, to);
    const first = part("in.raw", 0, FIRST_LINE);
    expect(first.equals(part("a.img", MIB, 33 * MIB))).toBe(true);
    const second = part("in.raw", FIRST_LINE, SECOND_LINE);
    expect(second.equals(part("b.img", 0, 20 * MIB))).toBe(true);
    const third = part("in.raw", SECOND_LINE, SIZE_BYTES);
    expect(third.equals(part("a.img", 48 * MIB, 64 * MIB))).toBe(true);
  });
});

describe.skipIf(isMissing("qemu-io"))("qemu-io", () => {
  const io = (...commands: readonly string[]): Promise<string> => {
    const args = commands.flatMap((command) => ["-c", command]);
    return succeed("qemu-io", ["-f", "raw", "-t", "none", "-d", "unmap", ...args, uri]);
  };

  it.each([
    ["the first line, by one sector", FIRST_LINE - 512, 1024],
    ["the first line, far", FIRST_LINE - MIB, 2 * MIB],
    ["the second line", SECOND_LINE - 4096, 8192],
    ["both lines at once", FIRST_LINE - 65_536, 20 * MIB + 131_072],
    ["no line, in single bytes", 4095, 2],
    ["the first line, in single bytes", FIRST_LINE - 1, 2],
    ["the end of the device", SIZE_BYTES - 512, 512],
  ])("reads back a pattern across %s, and nothing beside it", async (_name, offset, length) => {
    const [before, after] = [Math.max(0, offset - 4096), offset + length];
    const around = Math.min(4096, SIZE_BYTES - after);
    const printed = await io(
      `write -P 0x55 ${String(before)} ${String(offset - before + length + around)}`,
      `write -P 0xaa ${String(offset)} ${String(length)}`,
      `read -P 0xaa ${String(offset)} ${String(length)}`,
      `read -P 0x55 ${String(before)} ${String(offset - before)}`,
      ...(around > 0 ? [`read -P 0x55 ${String(after)} ${String(around)}`] : []),
    );
    expect(printed).not.toMatch(/failed|error/i);
  });

  it("writes zeroes, discards, flushes and writes durably across both lines", async () => {
    const [offset, length] = [String(FIRST_LINE - 8192), String(20 * MIB + 16_384)];
    const printed = await io(
      `write -P 0x77 ${offset} ${length}`,
      `write -z ${offset} ${length}`,
      `read -P 0 ${offset} ${length}`,
      `write -f -P 0x33 ${offset} 1M`,
      `read -P 0x33 ${offset} 1M`,
      `write -z -u ${offset} ${length}`,
      `read -P 0 ${offset} ${length}`,
      `discard ${offset} ${length}`,
      "flush",
    );
    expect(printed).not.toMatch(/failed|error/i);
  });
});

describe("after all of this", () => {
  it("the server has open what it had open before", async () => {
    await eventually(() => {
      expect(served.openFiles()).toEqual(filesBefore);
    });
  });

  it("it ends with 0 on SIGTERM, has met no error, and takes its socket along", async () => {
    expect(await served.stop()).toBe(0);
    expect(served.stderr).not.toMatch(/error|warning/i);
    expect(existsSync(bench.path("nbd.sock"))).toBe(false);
  });
});
