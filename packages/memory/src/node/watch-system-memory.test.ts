import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventLoopScheduler } from "@blkstack/task/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cache } from "../../test/cache.ts";
import { Memory } from "../memory.ts";
import { SystemMemoryFiles } from "./system-memory.ts";
import { pagesToFree, watchSystemMemory } from "./watch-system-memory.ts";

const POLL_MS = 5;
let root = "";

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), text);
}

async function writeGroup(current: string, high: string, max: string): Promise<void> {
  await write("proc/self/cgroup", "0::/user.slice/app\n");
  await write("sys/fs/cgroup/user.slice/app/memory.current", `${current}\n`);
  await write("sys/fs/cgroup/user.slice/app/memory.high", `${high}\n`);
  await write("sys/fs/cgroup/user.slice/app/memory.max", `${max}\n`);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "blkstack-memory-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe("the memory of the machine", () => {
  it("is not watched where nothing is told of it", async () => {
    expect(await SystemMemoryFiles.find(root)).toBeNull();
    await writeGroup("4096", "max", "max");
    const memory = new Memory({ scheduler: new EventLoopScheduler(), pages: { totalPages: 8 } });
    const watch = await watchSystemMemory({ memory, root });
    expect(watch.isOn).toBe(false);
    watch.stop();
  });

  it("is short when tasks stall for it, and when a control group comes near its limit", async () => {
    await writeGroup("3900000", "max", "4000000");
    await write(
      "proc/pressure/memory",
      "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\nfull avg10=3.00 avg60=0 avg300=0 total=1\n",
    );
    const files = await SystemMemoryFiles.find(root);
    expect(await files?.read()).toEqual({ stalledPercent: 12.5, excessBytes: 100_000 });
    await writeGroup("3900000", "3000000", "4000000");
    expect(await files?.read()).toMatchObject({ excessBytes: 1_050_000 });
  });

  it("asks for a part of what there is, or for what is too much", () => {
    expect(pagesToFree({ stalledPercent: 9, excessBytes: null }, 160)).toBe(0);
    expect(pagesToFree({ stalledPercent: 10, excessBytes: -4096 }, 160)).toBe(10);
    expect(pagesToFree({ stalledPercent: 10, excessBytes: 4096 * 20 + 1 }, 160)).toBe(21);
    expect(pagesToFree({ stalledPercent: null, excessBytes: 1e9 }, 160)).toBe(160);
  });

  it("has the caches give back until it is no longer short", async () => {
    await writeGroup("100000", "max", "100000");
    const memory = new Memory({ scheduler: new EventLoopScheduler(), pages: { totalPages: 8 } });
    const cache = new Cache(memory, 8);
    const given = new Promise<void>((resolve) => {
      const scan = cache.scan.bind(cache);
      cache.scan = (amount, gfp, task) => {
        const answer = scan(amount, gfp, task);
        resolve();
        return answer;
      };
    });
    const watch = await watchSystemMemory({ memory, root, pollMs: POLL_MS });
    expect(watch.isOn).toBe(true);
    await given;
    watch.stop();
    expect(cache.asked[0]).toBe("memory pressure asks for 2 with KERNEL");
    expect(memory.freePages).toBeGreaterThan(0);
  });
});
