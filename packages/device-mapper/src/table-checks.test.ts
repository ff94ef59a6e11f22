import { type BlockError, defineTarget, MapResult } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { ArrayDisk } from "../test/array-disk.ts";
import { Bench } from "../test/bench.ts";
import { endingType, failing, probeType } from "../test/test-targets.ts";
import { checkLength, checkLineCount } from "./table-checks.ts";
import { TableError } from "./table-error.ts";
import type { TableLine } from "./table-text.ts";

/** Loads the first table of a device and answers why it was refused. */
async function refusal(bench: Bench, ...lines: string[]): Promise<TableError> {
  return bench.perform(async (task) => {
    try {
      await bench.dm.create("t", task, { table: lines.join("\n") });
    } catch (error) {
      expect(bench.dm.list().map(({ name }) => name)).not.toContain("t");
      if (error instanceof TableError) return error;
      throw error;
    }
    throw new Error("the table was taken");
  });
}

describe("a table is refused in the words of the kernel", () => {
  it.each([
    [["0 0 probe a 0"], "zero-length target"],
    [["0 -5 probe a 0"], "too large device"],
    [["0 18014398509481984 probe a 0"], "too large device"],
    [["0 10 Probe a 0"], "Probe: unknown target type"],
    [["1 10 probe a 0"], "probe: Gap in table (-EINVAL)"],
    [["0 8 probe a 0", "9 8 probe a 0"], "probe: Gap in table (-EINVAL)"],
    [["0 8 probe a 0", "7 8 probe a 0"], "probe: Gap in table (-EINVAL)"],
    [["0 8 probe a x"], "probe: Invalid device sector (-EINVAL)"],
    [["0 8 probe nope 0"], "probe: Device lookup failed (-ENODEV)"],
    [["0 8 probe t 0"], "probe: Device lookup failed (-EINVAL)"],
    [["0 8 failing", "8 8 single"], "single: must appear alone in table"],
    [["0 8 single", "8 8 failing"], "single: must appear alone in table"],
  ])("%j", async (lines, said) => {
    const bench = new Bench({
      types: [probeType(), { ...endingType(0, "single"), isSingleton: true }],
    });
    const error = await refusal(bench, ...lines);
    expect(error.kernelLog).toEqual([
      `table: 253:0: ${said}`,
      "ioctl: error adding target to table",
    ]);
  });

  it("with the sizes, when a device is too small", async () => {
    const error = await refusal(new Bench(), "0 10 probe a 60");
    expect(error.kernelLog).toEqual([
      "table: 253:0: a too small for target: start=60, len=10, dev_size=64",
      "core: Cannot calculate initial queue limits",
      "ioctl: unable to set up device queue for new table.",
    ]);
  });

  it("with the count to the last digit, where a number is too coarse", async () => {
    const error = await refusal(new Bench(), "0 10 probe a 18446744073709551615");
    expect(error.kernelLog[0]).toContain("start=18446744073709551615, len=10");
  });

  it.each([
    ["0 8 probe big 1", "start=1 not aligned to h/w logical block size 4096 of big"],
    ["0 9 probe big 0", "len=9 not aligned to h/w logical block size 4096 of big"],
  ])("with the block size: %s", async (line, said) => {
    const bench = new Bench();
    const limits = { logicalBlockBytes: 4096, physicalBlockBytes: 4096, ioMinBytes: 4096 };
    bench.disks.set("big", new ArrayDisk("big", 64, { limits }));
    expect((await refusal(bench, line)).kernelLog[0]).toBe(`table: 253:0: ${said}`);
  });
});

describe("people are told the line, and all that there is to know:", () => {
  const SINGLE = { ...endingType(0, "single"), isSingleton: true };
  const BLOCKS = { logicalBlockBytes: 4096, physicalBlockBytes: 4096, ioMinBytes: 4096 };

  it.each([
    [["0 0 probe a 0"], "table line 1: zero-length target"],
    [["0 9 probe a 0", "9 18014398509481975 probe a 0"], "table line 2: too large device"],
    [["0 10 Probe a 0"], "table line 1: Probe: unknown target type"],
    [["1 10 probe a 0"], "table line 1: Gap in table (begins at 1, expected 0)"],
    [["0 8 probe a", "7 8 probe a"], "table line 2: Gap in table (begins at 7, expected 8)"],
    [["0 8 failing", "8 8 single"], "table line 2: single: must appear alone in table"],
    [["0 8 single", "8 8 failing"], "table line 1: single: must appear alone in table"],
    [["0 10 probe a 55"], "table line 1: a too small for target: start=55, len=10, dev_size=64"],
    [["0 9 probe low 0"], "table line 1: low too small for target: start=0, len=9, dev_size=8"],
    [
      ["0 8 probe a", "8 9 probe big 0"],
      "table line 2: len=9 not aligned to h/w logical block size 4096 of big",
    ],
    [
      ["0 8 probe big 4"],
      "table line 1: start=4 not aligned to h/w logical block size 4096 of big",
    ],
    [[], "a table needs at least one line"],
  ])("%j", async (lines, message) => {
    const bench = new Bench({ types: [probeType(), SINGLE] });
    bench.disks.set("big", new ArrayDisk("big", 64, { limits: BLOCKS }));
    await bench.create("low", "0 8 probe a");
    const error = await refusal(bench, ...lines);
    expect(error).toMatchObject({ code: "BLK_TABLE", errno: "EINVAL", message });
  });
});

it("a kernel calls the mapped device that is too small by its number", async () => {
  const bench = new Bench();
  await bench.create("low", "0 8 probe a");
  const error = await refusal(bench, "0 9 probe low 0");
  expect(error.kernelLog[0]).toBe(
    "table: 253:1: dm-0 too small for target: start=0, len=9, dev_size=8",
  );
});

it("a target that must be alone in its table may be", async () => {
  const bench = new Bench({ types: [{ ...endingType(0, "single"), isSingleton: true }] });
  await bench.create("md", "0 8 single");
  expect(bench.dm.status("md")).toEqual(["0 8 single "]);
});

it("a range may end where its device ends, and must begin before even if it has no sectors", async () => {
  const bench = new Bench({
    types: [
      probeType(),
      defineTarget({
        ...failing,
        name: "empty",
        create: ({ args: [startSector], openDevice }) => ({
          map: () => MapResult.Kill,
          status: () => "",
          devices: () => [
            { device: openDevice("a"), startSector: Number(startSector), sizeSectors: 0 },
          ],
        }),
      }),
    ],
  });
  await bench.create("fits", "0 10 probe a 54");
  await bench.create("no sectors", "0 8 empty 63");
  expect((await refusal(bench, "0 8 empty 64")).message).toContain("start=64, len=0, dev_size=64");
});

it("a device that does not know its size has any sector", async () => {
  const bench = new Bench();
  bench.disks.set("endless", Object.assign(new ArrayDisk("endless", 8), { sizeSectors: 0 }));
  await bench.create("md", "0 10 probe endless 1000");
  expect(bench.dm.get("md").sizeSectors).toBe(10);
});

it("a device has as many bytes as a signed 64-bit number counts, and a sector more is refused", () => {
  const line = { lineNumber: 1, begin: 7n, type: "probe", args: [] };
  const most = (2n ** 63n - 1n) / 512n - line.begin;
  expect(() => {
    checkLength({ ...line, length: most }, "253:0");
  }).not.toThrow();
  expect(() => {
    checkLength({ ...line, length: most + 1n }, "253:0");
  }).toThrow("too large device");
});

it("a table has 1048576 lines, and one of a line more is refused", () => {
  const line = { lineNumber: 1, begin: 0n, length: 1n, type: "probe", args: [] };
  const lines = new Array<TableLine>(1_048_576).fill(line);
  expect(() => {
    checkLineCount(lines);
  }).not.toThrow();
  let error: unknown = null;
  try {
    lines.push(line);
    checkLineCount(lines);
  } catch (thrown) {
    error = thrown;
  }
  const message = "a table has at most 1048576 lines";
  expect(error).toMatchObject({ code: "BLK_TABLE", errno: "EOVERFLOW", message });
});

it("people are told the argument, and what was written there", async () => {
  const error = await refusal(new Bench(), "0 8 probe a 0", "", "8 8 probe b 5x");
  expect(error).toMatchObject({ lineNumber: 3, argumentNumber: 2, errno: "EINVAL" });
  expect(error.message).toBe(
    'table line 3, argument 2: probe: Invalid device sector ("5x" is not an unsigned decimal number)',
  );
});

it("the first complaint of a line is that of its length, then of its type, then of its place", async () => {
  const bench = new Bench();
  expect((await refusal(bench, "1 0 nosuch")).message).toContain("zero-length");
  expect((await refusal(bench, "1 8 nosuch")).message).toContain("unknown target type");
  expect((await refusal(bench, "1 8 probe a x")).message).toContain("Gap in table");
});

it("targets made before the bad line are destroyed in order, and their devices closed", async () => {
  const events: string[] = [];
  const type = probeType({ event: (what, begin) => events.push(`${what} ${String(begin)}`) });
  const bench = new Bench({ types: [type] });
  await bench.create("low", "0 8 probe a 0");
  events.length = 0;
  await refusal(bench, "0 8 probe low 0", "8 8 probe a 0", "16 8 nosuch");
  expect(events).toEqual(["destroy 0", "destroy 8"]);
  expect(bench.dm.info("low").openCount).toBe(0);
});

it("a device that would stand on itself by way of another is refused", async () => {
  const bench = new Bench();
  await bench.create("low", "0 8 probe a 0");
  await bench.create("high", "0 8 probe low 0");
  const error: BlockError = await bench.perform((task) =>
    bench.dm.load("low", "0 8 probe high 0", task).then(
      () => expect.unreachable(),
      (reason: unknown) => reason as BlockError,
    ),
  );
  expect(error.errno).toBe("EINVAL");
  expect(error.message).toContain('"low" would stand on itself');
  await bench.perform((task) => bench.dm.remove("high", task));
});
