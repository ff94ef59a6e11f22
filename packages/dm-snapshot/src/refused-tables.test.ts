import { BlockError } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/rig.ts";

const BLOCK_BYTES = 4096;
const NO_STORE = "Couldn't create exception store";
const SAME = "COW device cannot be the same as origin device";
const NO_COUNT = "Invalid number of feature arguments";

/** Three disks with nothing on them, of which `coarse` has blocks of 4 KiB. */
function benchOfDisks(): Bench {
  const bench = new Bench();
  for (const name of ["origin", "cow"]) bench.disk(name, 256);
  const { queue } = bench.disk("coarse", 256);
  queue.limits = {
    ...queue.limits,
    logicalBlockBytes: BLOCK_BYTES,
    physicalBlockBytes: BLOCK_BYTES,
    ioMinBytes: BLOCK_BYTES,
  };
  return bench;
}

/** What is said against a line; `taken` when nothing is. */
async function answerTo(bench: Bench, line: string): Promise<string> {
  try {
    await bench.create("s", `0 96 ${line}`);
  } catch (error) {
    if (error instanceof BlockError) return `${error.errno} ${error.message}`;
    throw error;
  }
  return "taken";
}

describe("a line is refused", () => {
  it.each([
    ["snapshot", "EINVAL", "requires 4 or more arguments"],
    ["snapshot origin cow P", "EINVAL", "requires 4 or more arguments"],
    ["snapshot origin origin P 8", "EINVAL", SAME],
    ["snapshot-merge origin origin P 8", "EINVAL", SAME],
    ["snapshot origin cow N 0", "EINVAL", "Chunk size not set"],
    ["snapshot origin cow X 8", "EINVAL", NO_STORE],
    [
      "snapshot origin cow PX 8",
      "EINVAL",
      `${NO_STORE} (persistent snapshot: Unsupported persistent store option: X)`,
    ],
    ["snapshot origin cow P 8 x", "EINVAL", NO_COUNT],
    ["snapshot origin cow P 8 -1", "EINVAL", NO_COUNT],
    ["snapshot origin cow P 8 1", "EINVAL", NO_COUNT],
    ["snapshot origin cow P 8 4 a b c d", "EINVAL", NO_COUNT],
    ["snapshot origin cow P 8 1 magic", "EINVAL", "Unrecognised feature requested"],
    [
      "snapshot origin cow P 8 1 discard_passdown_origin",
      "EINVAL",
      "discard_passdown_origin feature depends on discard_zeroes_cow",
    ],
    [
      "snapshot-merge origin cow N 8",
      "EINVAL",
      "Snapshot exception store does not support snapshot-merge.",
    ],
    ["snapshot-origin", "EINVAL", "origin: incorrect number of arguments"],
    ["snapshot-origin origin cow", "EINVAL", "origin: incorrect number of arguments"],
  ])("%s: %s %s", async (line, errno, message) => {
    const [type = ""] = line.split(" ");
    const answer = await answerTo(benchOfDisks(), line);
    expect(answer).toBe(`${errno} table line 1: ${type}: ${message}`);
  });

  it.each([
    ["snapshot none cow P 8", 1, "Cannot get origin device"],
    ["snapshot origin none P 8", 2, "Cannot get COW device"],
    ["snapshot-merge none cow P 8", 1, "Cannot get origin device"],
    ["snapshot-origin none", 1, "Cannot get target device"],
  ])("%s: argument %i, %s", async (line, argument, message) => {
    const [type = ""] = line.split(" ");
    const place = `table line 1, argument ${String(argument)}: ${type}`;
    expect(await answerTo(benchOfDisks(), line)).toBe(
      `ENODEV ${place}: ${message} (there is no device "none")`,
    );
  });

  it.each([
    ["x", "Chunk size is not an unsigned decimal number"],
    ["-8", "Chunk size is not an unsigned decimal number"],
    ["0x8", "Chunk size is not an unsigned decimal number"],
    ["65", "Chunk size is not a power of 2"],
    ["4194303", "Chunk size is not a power of 2"],
    ["4194304", "Chunk size is too high"],
  ])("with the chunk size %s, whatever the store: %s", async (chunk, why) => {
    for (const store of ["P", "PO", "N"]) {
      expect(await answerTo(benchOfDisks(), `snapshot origin cow ${store} ${chunk}`)).toBe(
        `EINVAL table line 1: snapshot: ${NO_STORE} (chunk size "${chunk}": ${why})`,
      );
    }
  });

  it.each(["snapshot coarse cow N 4", "snapshot origin coarse N 4"])(
    "with chunks smaller than the blocks of either device: %s",
    async (line) => {
      const why = "Chunk size is not a multiple of the logical block size";
      expect(await answerTo(benchOfDisks(), line)).toBe(
        `EINVAL table line 1: snapshot: ${NO_STORE} (chunk size "4": ${why})`,
      );
    },
  );
});

describe("a line is taken", () => {
  it.each([
    ["snapshot origin cow p 8", "snapshot 7:0 7:1 P 8"],
    ["snapshot origin cow po 8", "snapshot 7:0 7:1 PO 8"],
    ["snapshot origin cow n 8", "snapshot 7:0 7:1 N 8"],
    ["snapshot origin coarse N 8", "snapshot 7:0 7:2 N 8"],
    ["snapshot origin cow P 0", "snapshot 7:0 7:1 P 32"],
    ["snapshot origin cow N 2097152", "snapshot 7:0 7:1 N 2097152"],
  ])("%s, and told as %s", async (line, told) => {
    const bench = benchOfDisks();
    expect(await answerTo(bench, line)).toBe("taken");
    expect(bench.dm.table("s")).toEqual([`0 96 ${told}`]);
  });

  it("also after others were refused, which have left nothing behind", async () => {
    const bench = benchOfDisks();
    for (const line of ["origin origin P 8", "origin cow N 0", "origin cow P 7", "origin none P 8"])
      expect(await answerTo(bench, `snapshot ${line}`)).not.toBe("taken");
    expect(await answerTo(bench, "snapshot origin cow P 8")).toBe("taken");
    await bench.perform((task) => bench.dm.remove("s", task));
    expect(bench.scheduler.warnings).toEqual([]);
  });
});
