import { BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dust } from "./dust.ts";

const { Ok, IoError } = BioStatus;

async function benchOf(blockBytes = 512, ...messages: string[]): Promise<TargetBench> {
  const bench = new TargetBench({ types: [dust] });
  await bench.create(`0 100 dust a 20 ${String(blockBytes)}`);
  for (const message of messages) await bench.message(...message.split(" "));
  return bench;
}

describe("a bad block", () => {
  it("is as good as any other until failures are enabled, and after they are disabled", async () => {
    const bench = await benchOf(512, "addbadblock 5");
    expect(await bench.read(5, 1)).toEqual([0]);
    await bench.message("enable");
    expect(await bench.read(5, 1)).toBeNull();
    await bench.message("disable");
    expect(await bench.read(5, 1)).toEqual([0]);
  });

  it("fails every read that touches it, and no other", async () => {
    const bench = await benchOf(4096, "addbadblock 2", "enable");
    const reads: [sector: number, sectors: number, isOk: boolean][] = [
      [15, 1, true],
      [16, 1, false],
      [23, 1, false],
      [24, 8, true],
      [8, 8, true],
      [0, 100, false],
      [15, 2, false],
    ];
    for (const [sector, sectors, isOk] of reads) {
      expect((await bench.read(sector, sectors)) !== null, String(sector)).toBe(isOk);
    }
  });

  it("is good again once it was written", async () => {
    const bench = await benchOf(512, "addbadblock 5", "addbadblock 6", "enable");
    expect(await bench.write(4, 2, 9)).toBe(Ok);
    expect(await bench.read(4, 2)).toEqual([9, 9]);
    expect(await bench.read(6, 1)).toBeNull();
    expect(bench.a.firstBytes({ sector: 24, sectors: 3 })).toEqual([9, 9, 0]);
    expect(bench.lines.at(-1)).toContain("block 5 removed from badblocklist by write");
  });

  it("that was said to fail some writes fails so many of them first", async () => {
    const bench = await benchOf(512, "addbadblock 5 2", "enable");
    expect(bench.lines[0]).toContain("badblock added at block 5 with write fail count 2");
    const writes = [
      await bench.write(5, 1, 1),
      await bench.write(5, 1, 2),
      await bench.write(5, 1, 3),
    ];
    expect(writes).toEqual([IoError, IoError, Ok]);
    expect(await bench.read(5, 1)).toEqual([3]);
  });

  it("stays on the list while failures are disabled, though it is written", async () => {
    const bench = await benchOf(512, "addbadblock 5");
    expect(await bench.write(5, 1, 1)).toBe(Ok);
    await bench.message("enable");
    expect(await bench.read(5, 1)).toBeNull();
  });
});

it("flushes and discards go down; a discard is a write", async () => {
  const bench = await benchOf(512, "addbadblock 5", "enable");
  expect(await bench.flush()).toBe(Ok);
  expect(await bench.discard(0, 100)).toBe(Ok);
  expect(await bench.message("countbadblocks")).toBe("countbadblocks: 0 badblock(s) found");
});

it("reads fail exactly where a list says, whatever was added, removed and written", async () => {
  const block = fc.nat({ max: 11 });
  const steps = fc.array(
    fc.oneof(
      fc.record({ what: fc.constant("add" as const), block }),
      fc.record({ what: fc.constant("remove" as const), block }),
      fc.record({ what: fc.constant("write" as const), block }),
      fc.record({ what: fc.constant("read" as const), block }),
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const bench = await benchOf(4096, "enable");
      const bad = new Set<number>();
      for (const { what, block: number } of history) {
        if (what === "add" && !bad.has(number)) {
          await bench.message("addbadblock", String(number));
          bad.add(number);
        } else if (what === "remove" && bad.delete(number)) {
          await bench.message("removebadblock", String(number));
        } else if (what === "write") {
          expect(await bench.write(number * 8 + 3, 1, 1)).toBe(Ok);
          bad.delete(number);
        } else if (what === "read") {
          expect((await bench.read(number * 8, 8)) === null).toBe(bad.has(number));
        }
      }
      const list = [...bad].sort((one, other) => one - other).join("\n");
      expect(await bench.message("listbadblocks")).toBe(list);
    }),
    { numRuns: 50 },
  );
});

describe("messages", () => {
  it("answer what is asked", async () => {
    const bench = await benchOf(512, "addbadblock 72", "addbadblock 60");
    const answers: [question: string, answer: string][] = [
      ["queryblock 72", "dust_query_block: block 72 found in badblocklist"],
      ["queryblock 71", "dust_query_block: block 71 not found in badblocklist"],
      ["countbadblocks", "countbadblocks: 2 badblock(s) found"],
      ["listbadblocks", "60\n72"],
      ["removebadblock 60", ""],
      ["clearbadblocks", "dust_clear_badblocks: badblocks cleared"],
      ["clearbadblocks", "dust_clear_badblocks: no badblocks found"],
      ["listbadblocks", ""],
    ];
    for (const [question, answer] of answers) {
      expect(await bench.message(...question.split(" "))).toBe(answer);
    }
  });

  it("switch the mode and the log, and the status shows it", async () => {
    const bench = await benchOf();
    expect(bench.status()).toBe("7:0 bypass verbose");
    await bench.message("enable");
    expect(bench.status()).toBe("7:0 fail_read_on_bad_block verbose");
    await bench.message("quiet");
    expect(bench.status()).toBe("7:0 fail_read_on_bad_block quiet");
    const before = bench.lines.length;
    await bench.message("addbadblock", "1");
    await bench.write(1, 1, 1);
    await bench.message("addbadblock", "2");
    await bench.message("removebadblock", "2");
    expect(bench.lines).toHaveLength(before);
    await bench.message("quiet");
    expect(bench.status()).toBe("7:0 fail_read_on_bad_block verbose");
    await bench.message("addbadblock", "2");
    expect(bench.lines.slice(before)).toEqual(["md: badblock added at block 2"]);
  });

  it.each([
    ["addbadblock", "unrecognized message"],
    ["addbadblock x", "out of range"],
    ["addbadblock 100", "out of range"],
    ["addbadblock 5", "block 5 already in badblocklist"],
    ["addbadblock 6 256", "no number of failing writes"],
    ["addbadblock 6 1 1", "unrecognized message"],
    ["removebadblock 6", "block 6 not found in badblocklist"],
    ["removebadblock 5 1", "unrecognized message"],
    ["queryblock -1", "out of range"],
    ["bogus", 'unrecognized message "bogus"'],
    ["enable now", "unrecognized message"],
  ])("%s: refused", async (message, complaint) => {
    const bench = await benchOf(512, "addbadblock 5");
    await expect(bench.message(...message.split(" "))).rejects.toThrow(complaint);
    expect(await bench.message("countbadblocks")).toBe("countbadblocks: 1 badblock(s) found");
  });
});

it("its table gives the arguments again; the list is not part of it", async () => {
  expect((await benchOf(4096, "addbadblock 5")).table()).toBe("0 100 dust 7:0 20 4096");
});

describe("a line is refused", () => {
  it.each([
    ["a 0", "Invalid argument count"],
    ["a 0 512 x", "Invalid argument count"],
    ["none 0 512", "Device lookup failed"],
    ["a x 512", "Invalid device sector"],
    ["a 0 256", "Invalid block size parameter"],
    ["a 0 1000", "Invalid block size parameter"],
    ["a 0 2147483648", "Invalid block size parameter"],
    ["a 901 512", "a too small for target"],
  ])("dust %s", async (args, message) => {
    expect(await new TargetBench({ types: [dust] }).refusal(`0 100 dust ${args}`)).toContain(
      message,
    );
  });
});
