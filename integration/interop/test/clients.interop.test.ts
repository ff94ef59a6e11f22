// What standard clients make of a device of three linear segments over two image files.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Served } from "../src/served.ts";
import { isMissing, run, succeed } from "../src/tools.ts";
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
  it("sees the export, its size, and what it can do", async () => {
    interface Info {
      readonly protocol: string;
      readonly structured: boolean;
      readonly exports: readonly Record<string, unknown>[];
    }
    const info = JSON.parse(await succeed("nbdinfo", ["--json", "--no-content", uri])) as Info;
    expect(info.protocol).toBe("newstyle-fixed");
    expect(info.structured).toBe(true);
    expect(info.exports[0]).toMatchObject({
      "export-name": "joined",
      "export-size": SIZE_BYTES,
      is_read_only: false,
      can_flush: true,
      can_fua: true,
      can_df: true,
      can_fast_zero: true,
      can_cache: true,
      can_trim: true,
      can_zero: true,
    });
  });

  it("lists the exports, and is refused one that is not there", async () => {
    const listed = await succeed("nbdinfo", ["--list", "--json", uri]);
    expect(listed).toContain('"joined"');
    const other = uri.replace("///joined", "///other");
    expect((await run("nbdinfo", ["--size", other])).status).not.toBe(0);
    expect(await succeed("nbdinfo", ["--size", uri])).toBe(`${String(SIZE_BYTES)}\n`);
  });
});

describe.skipIf(isMissing("nbdinfo", "qemu-img"))(
  "maps of an export that nothing was written to",
  () => {
    it("are one hole from end to end, for nbdinfo and for qemu-img", async () => {
      interface Piece {
        readonly offset?: number;
        readonly start?: number;
        readonly length: number;
        readonly type?: number;
        readonly zero?: boolean;
      }
      const map = JSON.parse(await succeed("nbdinfo", ["--map", "--json", uri])) as Piece[];
      expect(map.every(({ type }) => type === 3)).toBe(true);
      expect(map.reduce((sum, { length }) => sum + length, 0)).toBe(SIZE_BYTES);
      const pieces = JSON.parse(
        await succeed("qemu-img", ["map", "-f", "raw", "--output=json", uri]),
      ) as Piece[];
      expect(pieces).toMatchObject([{ start: 0, length: SIZE_BYTES, zero: true }]);
    });

    it("have the layers of the stack beside them, for who asks", async () => {
      const listed = await succeed("nbdinfo", ["--list", uri]);
      expect(listed).toContain("base:allocation");
      const layers = await succeed("nbdinfo", ["--map=blkstack:layer", "--json", uri]);
      expect(JSON.parse(layers)).toMatchObject([{ offset: 0, length: SIZE_BYTES, type: 0 }]);
    });
  },
);

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

  it("does so one request at a time, and over four connections", async () => {
    await succeed("nbdcopy", ["--synchronous", uri, bench.path("one.raw")]);
    await succeed("nbdcopy", ["--connections=4", "--requests=32", uri, bench.path("four.raw")]);
    const expected = await bench.sha256("in.raw");
    expect([await bench.sha256("one.raw"), await bench.sha256("four.raw")]).toEqual([
      expected,
      expected,
    ]);
  });
});

describe.skipIf(isMissing("qemu-img"))("qemu-img", () => {
  it("converts an image onto the export and finds it identical", async () => {
    const image = bench.writePattern("convert.raw", SIZE_BYTES);
    await succeed("qemu-img", ["convert", "-n", "-f", "raw", "-O", "raw", image, uri]);
    await succeed("qemu-img", ["compare", "-f", "raw", "-F", "raw", image, uri]);
  });

  it("converts the export to qcow2 and finds that identical", async () => {
    const image = bench.path("export.qcow2");
    await succeed("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", uri, image]);
    await succeed("qemu-img", ["check", image]);
    await succeed("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", uri, image]);
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

  it("is told that there is nothing beyond the end", async () => {
    const command = `read ${String(SIZE_BYTES)} 512`;
    const { status, stdout, stderr } = await run("qemu-io", ["-f", "raw", "-c", command, uri]);
    expect([status, stdout + stderr]).toEqual([1, expect.stringMatching(/failed|past/)]);
  });
});

interface FioReport {
  readonly jobs: readonly {
    readonly error: number;
    readonly read: { readonly total_ios: number };
    readonly write: { readonly total_ios: number };
  }[];
}

async function fio(...args: readonly string[]): Promise<FioReport["jobs"]> {
  const common = ["--name=verify", "--ioengine=nbd", `--uri=${uri}`, "--output-format=json"];
  const verify = [
    "--verify=crc32c",
    "--do_verify=1",
    "--verify_state_save=0",
    "--verify_fatal=1",
    "--randrepeat=1",
  ];
  const printed = await succeed("fio", [...common, ...verify, ...args], { timeoutMs: 120_000 });
  return (JSON.parse(printed.slice(printed.indexOf("{"))) as FioReport).jobs;
}

describe.skipIf(isMissing("fio"))("fio", () => {
  it.each([
    ["4k", 17_408],
    ["256k", 272],
  ])("reads back what it wrote at random in blocks of %s", async (blockSize, count) => {
    const jobs = await fio("--rw=randwrite", `--bs=${blockSize}`, "--iodepth=16", "--size=68m");
    expect(jobs.map(({ error }) => error)).toEqual([0]);
    expect(jobs[0]?.write.total_ios).toBe(count);
    expect(jobs[0]?.read.total_ios).toBe(count);
  });

  it("mixes sizes, reads and flushes", async () => {
    const jobs = await fio(
      "--rw=randrw",
      "--bsrange=512-128k",
      "--bs_unaligned=0",
      "--iodepth=32",
      "--fsync=16",
      "--size=68m",
    );
    expect(jobs.map(({ error }) => error)).toEqual([0]);
  });

  it("does so over four connections at once, each in its quarter", async () => {
    const quarter = ["--size=17m", "--offset_increment=17m", "--numjobs=4"];
    const jobs = await fio("--rw=randwrite", "--bs=4k", "--iodepth=8", ...quarter);
    expect(jobs.map(({ error }) => error)).toEqual([0, 0, 0, 0]);
    expect(jobs.every(({ read }) => read.total_ios === 4352)).toBe(true);
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
