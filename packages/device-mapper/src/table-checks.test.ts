import type { BlockError } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { ArrayDisk } from "../test/array-disk.ts";
import { Bench } from "../test/bench.ts";
import { endingType, probeType } from "../test/test-targets.ts";
import { TableError } from "./table-error.ts";

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

it("people are told the line and the argument", async () => {
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
