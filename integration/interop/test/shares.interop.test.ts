// Two clients of one disk, as fast as they can be, in groups of weights 100 and 300. The bounds are
// wide: a machine has other work to do, and what exactly comes of it is measured in a benchmark.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BLKSTACK, Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

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

const bench = new Workbench();
let served: Served;

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  const listen = `unix:${bench.path("nbd.sock")}`;
  const args = ["stack.yaml", "--listen", listen, "--control", "control.sock"];
  served = await Served.start(args, bench.folder);
});

afterAll(async () => {
  await served.stop();
  bench.clear();
});

/** Reads all over an export for some seconds; answers how many requests a second came of it. */
async function load(name: string): Promise<number> {
  const printed = await succeed("fio", [
    `--name=${name}`,
    "--ioengine=nbd",
    `--uri=nbd+unix:///${name}?socket=${bench.path("nbd.sock")}`,
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
    const set = async (name: string, weight: number): Promise<void> => {
      const words = ["group", "set", name, `weight=${String(weight)}`, "--control", "control.sock"];
      await succeed(BLKSTACK, words, { cwd: bench.folder });
    };
    await set("light", 900);
    const [first = NaN, second = NaN] = await Promise.all(["light", "heavy"].map(load));
    expect(first / second).toBeGreaterThan(1.8);
    expect(first / second).toBeLessThan(5);
  });

  it("and neither has to do with the other where one is idle", async () => {
    const alone = await load("light");
    const counts = await succeed(
      BLKSTACK,
      ["group", "stat", "--json", "--control", "control.sock"],
      { cwd: bench.folder },
    );
    expect(alone).toBeGreaterThan(0);
    expect(JSON.parse(counts)).toMatchObject({
      groups: [{ name: "light", shares: [{ device: "disk", queued: 0, merged: 0 }] }, {}],
    });
  });
});
