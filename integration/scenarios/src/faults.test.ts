import type { BioStatus } from "@blkstack/bio";
import { Bio, BioOp } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import { defineScenario, explore, type ExploreOptions, type World } from "@blkstack/explorer";
import { Memory, Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import { GFP_NOIO, GFP_NOWAIT } from "@blkstack/task";
import { expect, it } from "vitest";
import { scenarios } from "./index.ts";

function run(build: (world: World) => void, options: ExploreOptions) {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  const scenario = defineScenario({ name: "test", summary: "a test", variants, build });
  return explore(scenario, "only", options);
}

function poolOf({ scheduler }: World): Mempool<object> {
  const memory = new Memory({ scheduler });
  const allocator = new Slab(memory, "elements", () => ({}));
  return new Mempool({ scheduler, label: "pool", allocator, minNr: 1 });
}

it("who may wait for a pool is given an element, whatever fails below", async () => {
  let waited = 0;
  const report = await run(
    (world) => {
      const pool = poolOf(world);
      for (const name of ["a", "b"]) {
        world.spawn(name, async (task) => {
          const element = await pool.alloc(GFP_NOIO, task);
          waited += 1;
          expect(element).not.toBeNull();
          pool.free(element);
        });
      }
    },
    { faults: { allocFail: 1 }, audits: "off" },
  );
  expect(report.verdict).toBe("proved");
  expect(report.runs).toBeGreaterThan(2);
  expect(waited).toBe(2 * report.runs);
});

it("who may not wait gets none when memory and reserve are gone", async () => {
  const report = await run(
    (world) => {
      const pool = poolOf(world);
      world.spawn("greedy", async (task) => {
        const [one, two] = [await pool.alloc(GFP_NOWAIT, task), await pool.alloc(GFP_NOWAIT, task)];
        world.atEnd(() => (one === null || two === null ? ["nothing left"] : []));
        for (const element of [one, two]) pool.free(element);
      });
    },
    { faults: { allocFail: 2 } },
  );
  expect(report).toMatchObject({ verdict: "found", message: "nothing left" });
  expect(report.story).toContain("allocation of elements fails");
});

it("a disk ends a bio with an error by chance, once for all bios", async () => {
  const seen = new Set<string>();
  const report = await run(
    (world) => {
      const disk = new RamDisk({ name: "sda", sizeSectors: 8, scheduler: world.scheduler });
      world.spawn("flusher", () => {
        const ended: BioStatus[] = [];
        for (let index = 0; index < 2; index += 1) {
          const bio = new Bio();
          bio.op = BioOp.Flush;
          bio.endIo = () => {
            ended[index] = bio.status;
          };
          disk.submitBio(bio);
        }
        world.atEnd(() => {
          seen.add(ended.join(" "));
          return [];
        });
      });
    },
    { faults: { ioError: 1 } },
  );
  expect(report).toMatchObject({ verdict: "proved" });
  expect([...seen].sort()).toEqual(["0 0", "0 10", "10 0"]);
});

it("the fix of the split deadlock holds too when one allocation more fails, or one bio", async () => {
  const [story] = scenarios;
  if (story === undefined) throw new Error("no scenario");
  const alloc = await explore(story, "rescuer", { strategy: "dpor", faults: { allocFail: 1 } });
  expect(alloc.verdict).toBe("proved");
  const io = await explore(story, "rescuer", { strategy: "dpor", faults: { ioError: 1 } });
  expect(io).toMatchObject({ verdict: "found", kind: "WRONG" });
  expect(io.message).toContain("submitter-1's bio did not end well");
  expect(io.story).toMatch(/WRITE sda \[\d+\.\.\d+\) fails with EIO/);
});
