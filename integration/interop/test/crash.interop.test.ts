// Filesystems and databases whose power is cut at each flush: whole when flushes are obeyed, and
// found out when they are not.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BLKSTACK } from "../src/served.ts";
import { isMissing, type Outcome, run } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CHECK_EXT4 = join(ROOT, "src/check-ext4.sh");
const CHECK_SQLITE = join(ROOT, "src/check-sqlite.sh");
const SQLITE = join(ROOT, "dist/sqlite/workload.js");

/** A thousand checks take half a minute, if nobody else wants the machine. */
const SLOW_MS = 600_000;

/** The part of the report that the tests look at. */
interface Told {
  readonly status: number | null;
  readonly points: number;
  readonly pointsChecked: number;
  readonly states: number;
  readonly failure: {
    readonly mark: string | null;
    readonly loose: number;
    readonly lost: readonly { readonly entry: number; readonly sectors: readonly string[] }[];
    readonly output: string;
  } | null;
}

const bench = new Workbench();

afterAll(() => {
  bench.clear();
});

async function crash(...args: readonly string[]): Promise<Told> {
  const outcome = await run(BLKSTACK, ["crash", ...args, "--json"], {
    cwd: bench.folder,
    timeoutMs: SLOW_MS,
  });
  return toldBy(outcome);
}

function toldBy({ status, stdout, stderr }: Outcome): Told {
  if (stdout === "") throw new Error(`blkstack crash ended with ${String(status)}: ${stderr}`);
  return { status, ...(JSON.parse(stdout) as Omit<Told, "status">) };
}

/** A stack that records what is done on the export `disk`; on `lying` it is forgotten now and then. */
function stackOf(name: string, mib: number): string {
  const sectors = String(mib * 2048);
  return `disks:
  base: { file: ./${name}.img, size: ${String(mib)}MiB, create: true }
  log: { file: ./${name}.log, size: 128MiB, create: true }
devices:
  logged: 0 ${sectors} log-writes base log
  lying: 0 ${sectors} flakey logged 0 0 1 1 drop_writes
exports:
  disk: { device: logged }
  lying: { device: lying }
`;
}

describe.skipIf(isMissing("sqlite3"))("SQLite, at each flush of its commits", () => {
  let disks = 0;
  /** Each time on a new disk. */
  function sqlite(commits: number, pragmas: string, ...args: readonly string[]): Promise<Told> {
    disks += 1;
    const name = `sqlite${String(disks)}`;
    const stack = bench.write(`${name}.yaml`, stackOf(name, 4));
    const workload = `${process.execPath} '${SQLITE}' ${String(commits)} ${pragmas}`;
    return crash(stack, "--workload", workload, "--check", `'${CHECK_SQLITE}'`, ...args);
  }

  it(
    "loses nothing with a rollback journal and synchronous=EXTRA: a thousand states",
    async () => {
      const told = await sqlite(64, "journal_mode=DELETE synchronous=EXTRA", "--subsets", "8");
      expect(told).toMatchObject({ status: 0, failure: null });
      expect(told.states).toBeGreaterThanOrEqual(1000);
    },
    SLOW_MS,
  );

  it(
    "loses nothing with a write-ahead log and synchronous=FULL, writes torn or not",
    async () => {
      const wal = "locking_mode=EXCLUSIVE journal_mode=WAL synchronous=FULL";
      for (const args of [
        ["--subsets", "6"],
        ["--subsets", "6", "--torn"],
      ]) {
        const told = await sqlite(30, wal, ...args);
        expect(told).toMatchObject({ status: 0, failure: null });
        expect(told.states).toBeGreaterThanOrEqual(200);
      }
    },
    SLOW_MS,
  );

  it("loses the last commit with synchronous=FULL, as its manual says: the journal is back", async () => {
    const told = await sqlite(6, "journal_mode=DELETE synchronous=FULL");
    expect(told.status).toBe(1);
    // The one write that is lost is the entry of the journal in the directory.
    expect(told.failure?.lost.map(({ sectors }) => sectors)).toEqual([["1+1"]]);
    expect(told.failure?.mark).toMatch(/^commit \d+$/);
  });

  it("loses acknowledged commits with synchronous=OFF", async () => {
    const off = await sqlite(6, "journal_mode=DELETE synchronous=OFF");
    expect([off.status, off.failure?.mark]).toEqual([1, expect.stringMatching(/^commit/)]);
  });

  it("is corrupted on a disk that ignores flushes", async () => {
    const told = await sqlite(6, "journal_mode=DELETE synchronous=EXTRA", "--ignore-flushes");
    expect(told.status).toBe(1);
    expect(told.failure?.output).toMatch(/integrity_check|missing|acknowledged/);
    expect(told.failure?.lost.length).toBeLessThanOrEqual(3);
  });
});

describe.skipIf(isMissing("e2fsck", "debugfs"))(
  "ext4 of a Linux kernel, as it was recorded",
  () => {
    beforeAll(() => {
      for (const name of ["base.img", "writes.log"]) {
        const packed = readFileSync(join(ROOT, "test/data", `ext4-${name}.br`));
        writeFileSync(bench.path(name), brotliDecompressSync(packed));
      }
    });

    const replay = ["--replay", "writes.log", "--base", "base.img", "--check", `'${CHECK_EXT4}'`];

    it(
      "is whole after its journal is replayed, at each flush with all that was not flushed lost",
      async () => {
        const told = await crash(...replay, "--subsets", "1");
        expect(told).toMatchObject({ status: 0, failure: null });
        expect(told.states).toBeGreaterThanOrEqual(1000);
      },
      SLOW_MS,
    );

    it(
      "is whole with any of that lost, or parts of it",
      async () => {
        for (const args of [[], ["--torn"]]) {
          const told = await crash(...replay, "--points", "60", "--subsets", "6", ...args);
          expect(told).toMatchObject({ status: 0, failure: null });
          expect(told.states).toBeGreaterThanOrEqual(100);
        }
      },
      SLOW_MS,
    );

    it("is not whole on a disk that ignores flushes, and few lost writes show it", async () => {
      const told = await crash(...replay, "--ignore-flushes");
      expect(told.status).toBe(1);
      expect(told.failure?.lost.length).toBeLessThanOrEqual(4);
    });
  },
);

describe.skipIf(isMissing("mke2fs", "e2fsck", "nbdcopy"))(
  "a filesystem that is copied to a disk",
  () => {
    const workload = "mke2fs -q -F -t ext4 fs.raw 8M && nbdcopy --flush fs.raw $uri && echo made";
    const check = 'test "$mark" != made || e2fsck -fn "$image"';

    it("is there once the copy was flushed, and a disk that drops writes is found out", async () => {
      const crashOn = (name: string): Promise<Told> => {
        bench.write("fs.yaml", stackOf(name, 8));
        const args = ["--export", name, "--marks", "--workload", workload, "--check", check];
        return crash("fs.yaml", ...args);
      };
      expect(await crashOn("disk")).toMatchObject({ status: 0, failure: null });
      expect(await crashOn("lying")).toMatchObject({
        status: 1,
        failure: { mark: "made", lost: [] },
      });
    });
  },
);
