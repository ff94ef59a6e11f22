import { BioStatus } from "@blkstack/bio";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Bench, type BenchOptions } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { perDevice, perTarget } from "./flush-policy.ts";

const pass = probeType({ passesFlushes: true }, "pass");
const keep = probeType({}, "keep");
const twice = probeType({ passesFlushes: true, flushes: 2 }, "twice");

/** Passes its flushes on, and does not say where to. */
const silent = {
  ...pass,
  name: "silent",
  create: async (context: Parameters<typeof pass.create>[0]) =>
    Object.assign(await pass.create(context), { devices: undefined }),
};

/** How many flushes each disk gets for one flush of a device with lines of eight sectors. */
async function flushesBelow(
  lines: readonly string[],
  options: BenchOptions = {},
): Promise<Record<string, number>> {
  const bench = new Bench({ types: [pass, keep, twice, silent], ...options });
  const table = lines.map((line, index) => `${String(index * 8)} 8 ${line} 0`);
  await bench.create("md", ...table);
  expect(await bench.flush("md")).toMatchObject({ ends: 1, status: BioStatus.Ok });
  return { a: bench.a.log.length, b: bench.b.log.length };
}

it("a device gets one flush however many lines that pass flushes on stand on it", async () => {
  expect(await flushesBelow(["pass a", "pass b", "pass a", "pass b", "pass a"])).toEqual({
    a: 1,
    b: 1,
  });
});

it("a target that does more with its flushes gets its own, before and behind such lines", async () => {
  expect(await flushesBelow(["keep a", "pass a", "pass a", "keep a"])).toEqual({ a: 3, b: 0 });
});

it("a copy that the target names no device for is sent whatever others reach", async () => {
  expect(await flushesBelow(["pass a", "twice a", "twice b"])).toEqual({ a: 2, b: 2 });
});

it("targets that name no device for what they pass on get one each", async () => {
  expect(await flushesBelow(["silent a", "silent b", "silent a", "pass a"])).toEqual({
    a: 3,
    b: 1,
  });
});

it("the policies are told apart by their names", () => {
  expect([perDevice.name, perTarget.name]).toEqual(["per-device", "per-target"]);
});

it("every target gets its own where that is asked for", async () => {
  const lines = ["pass a", "pass a", "pass b"];
  expect(await flushesBelow(lines, { flushes: perTarget })).toEqual({ a: 2, b: 1 });
});

it("whatever the lines, every device below is flushed, and once if all pass flushes on", async () => {
  const line = fc.tuple(fc.constantFrom("pass", "keep", "twice"), fc.constantFrom("a", "b"));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (lines) => {
      const counts = await flushesBelow(lines.map((words) => words.join(" ")));
      for (const disk of ["a", "b"]) {
        const types = lines.filter(([, device]) => device === disk).map(([type]) => type);
        const passed = types.includes("pass") || types.includes("twice") ? 1 : 0;
        const own = types.filter((type) => type !== "pass").length;
        expect([disk, counts[disk]]).toEqual([disk, passed + own]);
      }
    }),
    { numRuns: 50 },
  );
});
