import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type GoldenCase, type GoldenOp, readCase } from "./case-file.ts";
import { Comparison } from "./comparison.ts";
import { describeRuns, fillPattern } from "./pattern.ts";
import { runCase, runGolden } from "./run-golden.ts";

const CASES = path.join(import.meta.dirname, "../../test/golden");

/** All recordings, where they are at hand; they are too large to be kept here. */
const ALL_CASES = path.join(import.meta.dirname, "../../../../../shared/golden");

it.each([CASES, ...(existsSync(ALL_CASES) ? [ALL_CASES] : [])])(
  "every recorded case in %s whose targets there are comes out as it did in the kernel",
  async (directory) => {
    const { cases } = await runGolden(directory);
    const others = cases
      .filter(({ ok }) => !ok)
      .map(({ name, differences }) => [name, differences]);
    const waiting = cases.filter(({ missing }) => missing.length > 0);
    expect(others).toEqual(
      waiting.map(({ name, missing }) => {
        return [
          name,
          missing.map((type) => `needs the target "${type}", which blkstack does not have yet`),
        ];
      }),
    );
    expect(cases.length).toBeGreaterThanOrEqual(13);
    const replayed = cases.filter(({ name, ok }) => ok && /^[a-j]-/.test(name));
    expect(Math.min(...replayed.map(({ compared }) => compared))).toBeGreaterThan(20);
  },
  240_000,
);

it("each kind of recorded case is at hand, from tables to logs of writes", async () => {
  const names = await readdir(CASES);
  expect([...new Set(names.map((name) => name.charAt(0)))].sort()).toEqual(
    Array.from("abcdefghijp"),
  );
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
});

describe("a case of a target that there is not", () => {
  it("says which, is not ok, and is not replayed", async () => {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    expect(await runCase(single, { types: [] })).toEqual({
      name: "a-linear-single",
      ok: false,
      compared: 0,
      notReplayed: [],
      differences: ['needs the target "linear", which blkstack does not have yet'],
      figures: [],
      missing: ["linear"],
    });
  });

  it("is none when the kernel did not have it either", async () => {
    const errors = await readCase(path.join(CASES, "a-linear-table-errors"));
    expect(JSON.stringify(errors.boots)).toContain(" nosuch ");
    expect((await runCase(errors)).missing).toEqual([]);
  });
});

describe("what targets log", () => {
  /** A case in which a snapshot overflows, with one of the recorded lines changed. */
  async function doctoredLog(
    change: (line: string) => readonly string[],
  ): Promise<readonly string[]> {
    const overflow = await readCase(path.join(CASES, "e-overflow-snapwrite-po"));
    const boots = overflow.boots.map((boot) => ({
      ...boot,
      ops: boot.ops.map((op) =>
        op.kmsg === undefined ? op : { ...op, kmsg: op.kmsg.flatMap(change) },
      ),
    }));
    return (await runCase({ ...overflow, boots })).differences;
  }

  it("is compared by its words", async () => {
    const differences = await doctoredLog((line) => [line.replace("overflowed", "burst")]);
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(/log of targets: recorded .*burst.*here .*overflowed/);
  });

  it("and no kernel would have, is a difference", async () => {
    const differences = await doctoredLog((line) => (line.includes("marked") ? [] : [line]));
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(/at the end: log of targets: recorded \[\], here .*marked/);
  });
});

describe("a log of writes", () => {
  it("is compared by what it promises, where it is not the same to the byte", async () => {
    const order = await readCase(path.join(CASES, "p-order-merge"));
    const report = await runCase(order);
    expect(report.ok).toBe(true);
    const told = report.notReplayed.filter((text) => text.includes("image of logc"));
    expect(told).toEqual([expect.stringContaining("end in another order here")]);
  });

  it("that promises something else is found out", async () => {
    const order = await readCase(path.join(CASES, "p-order-merge"));
    const { logc, logo } = order.disks;
    const report = await runCase({
      ...order,
      disks: { ...order.disks, logc: { ...logc!, after: logo!.after } },
    });
    expect(report.differences).toHaveLength(1);
    expect(report.differences[0]).toMatch(
      /what the log on logc promises: recorded \["write 160\+16/,
    );
  });
});

describe("a program that measures", () => {
  /** The case with a measuring program behind its first step. */
  async function measured(cmd: string, output: readonly string[]) {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    const [create] = single.boots[0]!.ops;
    const ops = [create!, { op: "shell", cmd, output }];
    const { ok, differences, notReplayed } = await runCase({
      ...single,
      disks: { d0: { ...single.disks["d0"]!, after: [] } },
      boots: [{ ops, devices_at_end: { "253:0": "dm-0 l" } }],
    });
    return { ok, differences, notReplayed };
  }

  it("is run here too, and what it did compared", async () => {
    const read = "dio time /dev/mapper/l r 0 64 8";
    const result = await measured(read, ["ok secs=0.003 bytes=32768 ios=8 Bps=1"]);
    expect(result).toEqual({ ok: true, differences: [], notReplayed: [] });
    const { differences } = await measured(`${read} 4`, ["ok secs=0.003 bytes=32768 ios=9"]);
    expect(differences[0]).toMatch(/recorded \["ok","32768","9"\], here \["ok","32768","8"\]/);
  });

  it("has to wait here as it had to there, or nearly", async () => {
    const flush = "cat /proc/uptime; dio flush /dev/mapper/l; cat /proc/uptime";
    const { differences } = await measured(flush, ["5.00 0.00", "ok", "6.00 0.00"]);
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(/time: recorded "at least 0.70 s", here "0.0/);
  });
});

describe("a program within limits", () => {
  /** The programs one after the other, each with what it was recorded to say. */
  async function limited(...programs: readonly (readonly [string, string, string])[]) {
    const single = await readCase(path.join(CASES, "a-linear-single"));
    const ops = programs.map(([program, said, stat]) => {
      return { op: "shell", cmd: `sh /t.sh ${program}; cat /cg/g/io.stat`, output: [said, stat] };
    });
    const boots = [{ ops, devices_at_end: {} }];
    return runCase({ ...single, disks: {}, boots });
  }
  const stat = (bytes: number, count: number): string =>
    `254:0 rbytes=${String(bytes)} wbytes=0 rios=${String(count)} wios=0 dbytes=0 dios=0`;

  it("takes as long as it did there, and is counted as there", async () => {
    const report = await limited(
      [
        '"254:0 rbps=1048576" time /dev/vda r 0 8192 128',
        "ok secs=3.980 bytes=4194304 ios=64",
        stat(4194304, 64),
      ],
      ['"254:0 rbps=65536" trace /dev/vda r 0 256 128', "983 1982", stat(4325376, 66)],
      ['"254:0 riops=20 rbps=max" trace /dev/vda r 0 8192 4096', "95 195", stat(8519680, 72)],
    );
    expect(report.differences).toEqual([]);
    expect(report.figures).toEqual([
      { what: "rbps=1048576: time /dev/vda r 0 8192 128", recorded: "3.980 s", here: "4.001 s" },
      { what: "rbps=65536: trace /dev/vda r 0 256 128", recorded: "983 1982", here: "1000 2000" },
      {
        what: "riops=20 rbps=max: trace /dev/vda r 0 8192 4096",
        recorded: "95 195",
        here: "151 251",
      },
    ]);
  });

  it("that took another time, or was counted otherwise, is found out", async () => {
    const time = '"254:0 rbps=1048576" time /dev/vda r 0 8192 128';
    const { differences } = await limited([
      time,
      "ok secs=3.500 bytes=4194304 ios=63",
      stat(4194304, 65),
    ]);
    expect(differences.map((difference) => difference.replace(/^.*?\): /, ""))).toEqual([
      'bytes and requests: recorded ["4194304","63"], here ["4194304","64"]',
      'time: recorded "3.500 s, by 0.105 s", here "4.001 s"',
      `io.stat: recorded ["${stat(4194304, 65)}"], here ["${stat(4194304, 64)}"]`,
    ]);
    const trace = '"254:0 rbps=65536" trace /dev/vda r 0 256 128';
    const late = await limited([trace, "983 1882", stat(131072, 2)]);
    expect(late.differences[0]).toMatch(
      /times within 60 ms: recorded "983 1882", here "1000 2000"/,
    );
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
