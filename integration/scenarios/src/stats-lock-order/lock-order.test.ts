import { defineScenario, explore, type Report } from "@blkstack/explorer";
import { Memory, type MemoryOptions } from "@blkstack/memory";
import { type Gfp, GfpBit, type Task } from "@blkstack/task";
import { expect, it } from "vitest";
import { inPathWithoutIo } from "../stats-allocation/wrong-installers.ts";
import type { Story } from "../story.ts";
import { firstBio, shrinks, statsLockOrder } from "./index.ts";

/** A memory that says of each allocation that it may do this much. */
class Exaggerating extends Memory {
  readonly #told: (gfp: Gfp) => Gfp;

  constructor(options: MemoryOptions, told: (gfp: Gfp) => Gfp) {
    super(options);
    this.#told = told;
  }

  override admit(gfp: Gfp, task: Task, site: string): Gfp {
    task.scheduler.lockWatcher?.allocates(task, this.#told(gfp), site, null);
    return super.admit(gfp, task, site);
  }
}

function told({ potentials }: Report): readonly string[] {
  return potentials.map(({ status, message }) => `${status}: ${message}`);
}

function suspected(story: Story): Promise<Report> {
  const { expect: expected, summary } = story;
  const variants = { only: { expect: expected, summary } };
  const build = story.build.bind(story);
  const scenario = defineScenario({ name: "suspected", summary, variants, build });
  return explore(scenario, "only", { strategy: "dpor" });
}

it("is suspected when a bio takes the allocator in its path, though no schedule comes to it", async () => {
  const report = await explore(statsLockOrder, "in-path");
  expect(report.verdict).toBe("proved");
  expect(told(report)).toContain(
    'unreachable: submission of bios then mutex "per-cpu memory" by writer; mutex "per-cpu memory" then reclaim with I/O and filesystems by writer; reclaim with I/O and filesystems then submission of bios by reclaim',
  );
});

it.each(["correct-async", "noio-scope", "nofs"])("is not suspected with %s", async (variant) => {
  expect(await explore(statsLockOrder, variant)).toMatchObject({
    verdict: "proved",
    potentials: [],
  });
});

it("is missed by who waits for the deadlock itself (M20)", async () => {
  expect(await explore(statsLockOrder, "in-path", { lockdep: false })).toMatchObject({
    verdict: "proved",
    potentials: [],
  });
});

it("is seen where it is not by who knows masks only, and no scopes of tasks (M20)", async () => {
  const asGiven = (options: MemoryOptions): Memory => new Exaggerating(options, (gfp) => gfp);
  const report = await suspected(firstBio("a test", inPathWithoutIo, asGiven));
  expect(told(report).join()).toContain('mutex "per-cpu memory" then reclaim with I/O');
});

it("is seen where it is not by who takes any allocation for one that enters filesystems (M20)", async () => {
  const all = (options: MemoryOptions): Memory =>
    new Exaggerating(options, (gfp) => gfp | GfpBit.Fs);
  const report = await suspected(shrinks("a test", all));
  expect(told(report).join()).toContain('mutex "per-cpu memory" then reclaim with I/O and filesys');
});
