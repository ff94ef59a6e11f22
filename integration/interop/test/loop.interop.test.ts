// What standard clients make of a part of a file, served through a loop device.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const STACK = `
disks:
  part: { loop: ./whole.img, offset: 1MiB, size: 8MiB }
exports:
  part: { device: part }
`;

const bench = new Workbench();
let served: Served;
let uri = "";

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  writeFileSync(bench.path("whole.img"), Buffer.alloc(10 * MIB, 0x55));
  const listen = `unix:${bench.path("nbd.sock")}`;
  served = await Served.start(["stack.yaml", "--listen", listen], bench.folder);
  [uri = ""] = served.uris;
});

afterAll(async () => {
  await served.stop("SIGKILL");
  bench.clear();
});

/** Which bytes there are in a part of the file. */
function bytesOf(startBytes: number, endBytes: number): Set<number> {
  return new Set(readFileSync(bench.path("whole.img")).subarray(startBytes, endBytes));
}

describe.skipIf(isMissing("qemu-io"))("qemu-io", () => {
  it("writes, zeroes and flushes where the part lies in the file", async () => {
    const commands = ["write -P 7 0 64k", "write -z 8k 8k", "read -P 0 8k 8k", "flush"];
    await succeed("qemu-io", ["-f", "raw", ...commands.flatMap((line) => ["-c", line]), uri]);
    expect(bytesOf(MIB, MIB + 8192)).toEqual(new Set([7]));
    expect(bytesOf(MIB + 8192, MIB + 16_384)).toEqual(new Set([0]));
  });
});

describe.skipIf(isMissing("fio"))("fio", () => {
  it("reads back what it wrote at random, and nothing around the part is touched", async () => {
    const job = ["--rw=randwrite", "--bs=4k", "--size=8m", "--iodepth=16", "--fsync=64"];
    const how = ["--name=part", "--ioengine=nbd", `--uri=${uri}`, "--verify=crc32c", ...job];
    const told = await succeed("fio", how, { cwd: bench.folder });
    expect(told).toContain("err= 0");
    expect(bytesOf(0, MIB)).toEqual(new Set([0x55]));
    expect(bytesOf(9 * MIB, 10 * MIB)).toEqual(new Set([0x55]));
  });
});
