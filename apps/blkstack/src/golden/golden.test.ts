import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type GoldenCase, type GoldenOp, readCase } from "./case-file.ts";
import { Comparison } from "./comparison.ts";
import { describeRuns, fillPattern } from "./pattern.ts";
import { runCase, runGolden } from "./run-golden.ts";

const CASES = path.join(import.meta.dirname, "../../test/golden");

it("every recorded case of linear comes out as it did in the kernel", async () => {
  const { cases } = await runGolden(CASES);
  expect(cases.map(({ name, ok, differences }) => ({ name, ok, differences }))).toEqual([
    { name: "a-linear-concat3", ok: true, differences: [] },
    { name: "a-linear-nested", ok: true, differences: [] },
    { name: "a-linear-single", ok: true, differences: [] },
    { name: "a-linear-table-errors", ok: true, differences: [] },
  ]);
  expect(Math.min(...cases.map(({ compared }) => compared))).toBeGreaterThan(40);
});

it("a directory with one case is that case", async () => {
  const { cases } = await runGolden(path.join(CASES, "a-linear-single"));
  expect(cases.map(({ name }) => name)).toEqual(["a-linear-single"]);
});

describe("a recording that was tampered with is found out", () => {
  let single: GoldenCase;
  beforeAll(async () => {
    single = await readCase(path.join(CASES, "a-linear-single"));
  });

  /** The case with the first op of a kind changed. */
  function doctored(kind: string, change: Partial<GoldenOp>): GoldenCase {
    const boots = single.boots.map((boot) => {
      const index = boot.ops.findIndex(({ op }) => op === kind);
      const ops = boot.ops.map((op, at) => (at === index ? { ...op, ...change } : op));
      return { ...boot, ops };
    });
    return { ...single, boots };
  }

  it.each<[string, string, Partial<GoldenOp>, RegExp]>([
    ["data", "read", { sha256: "00" }, /step 4 .*data: recorded "00", here "0\+1000:p1@37"/],
    ["a result", "write", { result: "EIO at=0" }, /result: recorded "EIO at=0", here "ok"/],
    ["a table line", "status", { table: ["0 1000 linear 254:0 38"] }, /table: .*38.*37/],
    ["an exit code", "create", { rc: 1 }, /exit code: recorded 1, here 0/],
    ["a limit", "limits", { output: ["sectors=1001 lbs=512"] }, /limit sectors: .*1001.*1000/],
    ["a kernel log line", "create", { kmsg: ["device-mapper: table: no"] }, /kernel log/],
  ])("%s", async (_what, kind, change, expected) => {
    const report = await runCase(doctored(kind, change));
    expect(report.ok).toBe(false);
    expect(report.differences).toHaveLength(1);
    expect(report.differences[0]).toMatch(expected);
  });

  it("an image", async () => {
    const { d0 } = single.disks;
    const disks = { d0: { ...d0!, after: [{ boot: 0, sha256: "00" }] } };
    const report = await runCase({ ...single, disks });
    expect(report.differences[0]).toMatch(/at the end: image of d0: recorded "00"/);
  });

  it("the devices that are left", async () => {
    const boots = single.boots.map((boot) => ({ ...boot, devices_at_end: { "253:1": "dm-1 l" } }));
    const report = await runCase({ ...single, boots });
    expect(report.differences[0]).toMatch(/devices at the end: .*dm-1 l.*dm-0 l/);
  });

  it("a target type that there is not", async () => {
    const report = await runCase(single, { types: [] });
    expect(report.ok).toBe(false);
    expect(report.differences[0]).toMatch(/exit code: recorded 0, here 1/);
  });
});

describe("what cannot be replayed", () => {
  it("is told with the reason", async () => {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    const boots = [{ devices_at_end: {}, ops: [{ op: "shell", cmd: "mkfs.ext4 /dev/vda" }] }];
    const report = await runCase({ ...single, disks: {}, boots });
    expect(report.notReplayed).toEqual([
      "boot 0, step 0 (shell): only the recorded machine can run `mkfs.ext4 /dev/vda`",
    ]);
  });

  it("makes later differences of the same boot no more than unclear", () => {
    const comparison = new Comparison();
    comparison.at("shell");
    comparison.becomeUncertain();
    comparison.at("read");
    comparison.equal("data", "a", "b");
    expect(comparison.differences).toEqual([]);
    expect(comparison.notReplayed).toHaveLength(1);
    comparison.becomeCertain();
    comparison.equal("data", "a", "b");
    expect(comparison.differences).toHaveLength(1);
  });

  it("is data that the recorded kernel damaged; its states are compared all the same", async () => {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    const boots = single.boots.map((boot) => ({
      ...boot,
      ops: boot.ops.map((op) => ({ ...op, ...(op.sha256 !== undefined && { sha256: "00" }) })),
    }));
    const damaged = { ...single, name: "j-discard-partial-zeroes", boots };
    const report = await runCase(damaged);
    expect(report.ok).toBe(true);
    expect(report.notReplayed.filter((text) => text.includes("(wanted: "))).toHaveLength(5);
    expect((await runCase(damaged, { types: [] })).ok).toBe(false);
  });

  it("a step that never ends is a difference, and not waited for for ever", async () => {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    const [boot] = single.boots;
    const read = { op: "read", dev: "/dev/mapper/l", sector: 0, sectors: 1, result: "ok" };
    const ops = [boot!.ops[0]!, { op: "suspend", name: "l", rc: 0 }, read];
    const hanging = { ...single, boots: [{ ops, devices_at_end: {} }] };
    const report = await runCase(hanging, { stepTimeoutMs: 100 });
    expect(report.differences[0]).toMatch(/step 2 \(read .*: time: .*none after 100 ms/);
  });
});

it("runs of a pattern are told by the sector that they were written for", () => {
  const bytes = new Uint8Array(4 * 512);
  fillPattern(bytes.subarray(0, 1024), 7, 3);
  bytes[1024] = 1;
  expect(describeRuns(bytes, 100)).toBe("100+2:p3@7 102+1:? 103+1:f00");
});
