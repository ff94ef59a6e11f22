// More requests at a time than there is memory for: nobody fails, nobody waits for ever.
import { afterAll, describe, expect, it } from "vitest";
import { Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const STACK = `
disks:
  base: { file: ./base.img, size: 64MiB, create: true }
  cow: { file: ./cow.img, size: 96MiB, create: true }
devices:
  fast: 0 131072 cache base 1024 16384 1 writeback
  origin: 0 131072 snapshot-origin fast
  snap: 0 131072 snapshot fast cow P 16
exports:
  origin: { device: origin }
  snap: { device: snap }
`;

/** The part of what the server says on SIGUSR2 that matters here. */
interface Report {
  readonly memory: { readonly backgroundRounds: number };
  readonly pools: readonly {
    readonly label: string;
    readonly minNr: number;
    readonly currNr: number;
    readonly fromReserve: number;
  }[];
}

const bench = new Workbench();
let served: Served | null = null;

afterAll(async () => {
  await served?.stop("SIGKILL");
  bench.clear();
});

/** Four connections, each of which writes a part of its own, in no order, and reads it again. */
function jobs(name: string, blockSize: string, sizeMib: number): string[] {
  return [
    `--name=${name}`,
    `--uri=nbd+unix:///${name}?socket=${bench.path("nbd.sock")}`,
    `--bs=${blockSize}`,
    "--numjobs=4",
    `--size=${String(sizeMib)}m`,
    `--offset_increment=${String(sizeMib)}m`,
  ];
}

async function reportOf(server: Served): Promise<Report> {
  process.kill(server.pid, "SIGUSR2");
  await eventually(() => {
    expect(server.stderr).toMatch(/^\{.*\}\n$/m);
  });
  return JSON.parse(server.stderr.slice(server.stderr.indexOf("{"))) as Report;
}

describe.skipIf(isMissing("fio"))("64 requests in flight from 8 connections", () => {
  it("on a snapshot and its origin over a cache, with 12 MiB: all data is right, all pools are full again", async () => {
    bench.write("stack.yaml", STACK);
    const listen = ["--listen", `unix:${bench.path("nbd.sock")}`, "--memory", "12MiB"];
    served = await Served.start(["stack.yaml", ...listen], bench.folder);
    // With requests of half a megabyte these are more than memory has room for.
    await succeed(
      "fio",
      [
        ...["--ioengine=nbd", "--rw=randwrite", "--iodepth=8"],
        ...["--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0"],
        ...jobs("origin", "512k", 6),
        ...jobs("snap", "16k", 2),
      ],
      { cwd: bench.folder },
    );
    const { memory, pools } = await reportOf(served);
    expect(memory.backgroundRounds).toBeGreaterThan(0);
    expect(pools.some(({ fromReserve }) => fromReserve > 0)).toBe(true);
    expect(pools.filter(({ currNr, minNr }) => currNr < minNr)).toEqual([]);
    expect(await served.stop()).toBe(0);
  });
});
