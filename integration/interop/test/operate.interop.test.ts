// What a server tells of itself is held to what a client says that it did; what it is told to change,
// it changes under that client.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../src/free-port.ts";
import { BLKSTACK, Served } from "../src/served.ts";
import { isMissing, run, succeed } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const RELOADS = 20;
const stackOf = (table: string, limit: number): string => `
disks:
  base: { file: ./base.img, size: 8MiB, create: true }
groups:
  tenant: "wbps=${String(limit)}"
devices:
  vm: ${table}
exports:
  vm: { device: vm, group: tenant }
`;
/** Both show the same disk. */
const TABLES = [
  "0 16384 linear base 0",
  "|\n    0 5000 linear base 0\n    5000 11384 linear base 5000",
] as const;

const bench = new Workbench();
const uri = `nbd+unix:///vm?socket=${bench.path("nbd.sock")}`;
let served: Served;
let url = "";

beforeAll(async () => {
  bench.write("stack.yaml", stackOf(TABLES[0], 2 ** 30));
  const listen = ["--listen", `unix:${bench.path("nbd.sock")}`, "--control", "control.sock"];
  const port = await freePort();
  url = `http://127.0.0.1:${String(port)}/metrics`;
  served = await Served.start(["stack.yaml", "--http", String(port), ...listen], bench.folder);
});

afterAll(async () => {
  await served.stop();
  bench.clear();
});

/** The samples of a page by name and labels. */
async function metrics(): Promise<Map<string, number>> {
  const page = await (await fetch(url)).text();
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

interface Side {
  readonly total_ios: number;
  readonly io_bytes: number;
}

describe.skipIf(isMissing("fio"))("fio", () => {
  const job = ["--name=disk", "--ioengine=nbd", `--uri=${uri}`, "--size=8M", "--iodepth=16"];

  it("has done what the metrics say, of its export, of the group and of each layer below", async () => {
    const load = ["--rw=randrw", "--bsrange=4k-64k", "--io_size=32M", "--output-format=json"];
    const report = await succeed("fio", [...job, ...load], { cwd: bench.folder });
    const { jobs } = JSON.parse(report.slice(report.indexOf("{"))) as {
      jobs: { read: Side; write: Side }[];
    };
    const values = await metrics();
    for (const op of ["read", "write"] as const) {
      const done = jobs[0]?.[op];
      expect(done?.total_ios).toBeGreaterThan(100);
      for (const what of [
        'blkstack_export_NAME_total{export="vm"',
        'blkstack_group_NAME_total{group="tenant"',
        'blkstack_device_NAME_total{device="vm",layer="device"',
      ]) {
        const read = (name: string): number | undefined =>
          values.get(`${what.replace("NAME", name)},op="${op}"}`);
        expect([what, read("bytes"), read("ios")]).toEqual([what, done?.io_bytes, done?.total_ios]);
      }
      const ofDisk = `blkstack_device_bytes_total{device="base",layer="disk",op="${op}"}`;
      expect(values.get(ofDisk)).toBe(done?.io_bytes);
    }
  });

  it(`finds all that it wrote while the file of its server is read again ${String(RELOADS)} times`, async () => {
    const verify = ["--verify=crc32c", "--verify_fatal=1", "--verify_backlog=256"];
    const load = [
      "--rw=randwrite",
      "--bs=4k",
      "--time_based",
      "--runtime=12",
      "--verify_state_save=0",
    ];
    const writing = run("fio", [...job, ...load, ...verify], { cwd: bench.folder });
    const writes = async (): Promise<number> =>
      (await metrics()).get('blkstack_export_ios_total{export="vm",op="write"}') ?? 0;
    const before = await writes();
    await eventually(async () => {
      expect(await writes()).toBeGreaterThan(before);
    });
    const begun = await writes();
    for (let count = 1; count <= RELOADS; count += 1) {
      const table = TABLES[count % 2 === 0 ? 0 : 1];
      writeFileSync(bench.path("stack.yaml"), stackOf(table, 2 ** 30 - count));
      process.kill(served.pid, "SIGHUP");
      await eventually(() => {
        const told = served.stderr.match(/reloaded: suspend "vm", load "vm", resume "vm", limit/g);
        expect(told).toHaveLength(count);
      });
    }
    expect(await writes()).toBeGreaterThan(begun);
    writeFileSync(bench.path("stack.yaml"), stackOf("0 16384 linear nowhere 0", 5));
    const refused = await run(BLKSTACK, ["reload", "--control", "control.sock"], {
      cwd: bench.folder,
    });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('stack.yaml:7:22: device "vm": ');
    const { status, stdout, stderr } = await writing;
    expect(stderr).toBe("");
    expect(stdout).toContain("err= 0");
    expect(status).toBe(0);
    const limit = (await metrics()).get('blkstack_group_limit{group="tenant",limit="wbps"}');
    expect(limit).toBe(2 ** 30 - RELOADS);
  });
});
