// Two clients of one disk, as fast as they can be, in groups of weights 100 and 300. The bounds are
// wide: a machine has other work to do, and what exactly comes of it is measured in a benchmark.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTROL, ServedStack } from "../src/served-stack.ts";
import { isMissing, succeed } from "../src/tools.ts";

const STACK = `
disks:
  disk: { file: ./disk.img, size: 64MiB, create: true }
groups:
  light: "weight=100"
  heavy: "weight=300"
exports:
  light: { device: disk, group: light }
  heavy: { device: disk, group: heavy }
`;

const stack = new ServedStack();

beforeAll(() => stack.serve(STACK, ...CONTROL));

afterAll(() => stack.clear());

/** Reads all over an export for some seconds; answers how many requests a second came of it. */
async function load(name: string): Promise<number> {
  const printed = await succeed("fio", [
    `--name=${name}`,
    "--ioengine=nbd",
    `--uri=${stack.uriOf(name)}`,
    "--rw=randread",
    "--bs=4k",
    "--iodepth=32",
    "--size=64m",
    "--norandommap",
    "--time_based",
    // Both have begun when they begin to count.
    "--ramp_time=1",
    "--runtime=4",
    "--output-format=json",
  ]);
  const { jobs } = JSON.parse(printed.slice(printed.indexOf("{"))) as {
    jobs: { error: number; read: { iops: number } }[];
  };
  expect(jobs).toMatchObject([{ error: 0 }]);
  return jobs[0]?.read.iops ?? NaN;
}

describe.skipIf(isMissing("fio"))("two fio of weights 100 and 300 on one disk", () => {
  it("have it in about that ratio, and in the other one when the weights are changed", async () => {
    const [light = NaN, heavy = NaN] = await Promise.all(["light", "heavy"].map(load));
    expect(heavy / light).toBeGreaterThan(1.8);
    expect(heavy / light).toBeLessThan(5);
    await stack.command("group", "set", "light", "weight=900");
    const [first = NaN, second = NaN] = await Promise.all(["light", "heavy"].map(load));
    expect(first / second).toBeGreaterThan(1.8);
    expect(first / second).toBeLessThan(5);
  });

  it("and neither has to do with the other where one is idle", async () => {
    const alone = await load("light");
    const counts = await stack.command("group", "stat", "--json");
    expect(alone).toBeGreaterThan(0);
    expect(JSON.parse(counts)).toMatchObject({
      groups: [{ name: "light", shares: [{ device: "disk", queued: 0, merged: 0 }] }, {}],
    });
  });
});
