import { BioSet } from "@blkstack/bio-set";
import { defineScenario, explore } from "@blkstack/explorer";
import { allFail, GFP_NOIO, Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";

const mirror = defineScenario({
  name: "mirror",
  summary: "two writers, two bios for each write, and two bios in all",
  variants: {
    hoarding: { expect: "DEADLOCK", summary: "a writer holds one bio while it waits for another" },
    "one-by-one": { expect: "ok", summary: "a writer gives each bio back before the next" },
  },
  build(world, variant) {
    const { scheduler } = world;
    const memory = new Memory({ scheduler });
    const submitter = { submitBio: () => undefined };
    const set = new BioSet({ name: "legs", scheduler, memory, poolSize: 2, submitter });
    memory.faultPlan = allFail;
    const write = async (task: Task): Promise<void> => {
      const first = await set.alloc(GFP_NOIO, 0, task);
      if (variant === "one-by-one") first?.put();
      const second = await set.alloc(GFP_NOIO, 0, task);
      second?.put();
      if (variant === "hoarding") first?.put();
    };
    world.spawn("writer-1", write);
    world.spawn("writer-2", write);
  },
});

for (const variant of ["hoarding", "one-by-one"]) {
  const { story } = await explore(mirror, variant, { strategy: "dpor" });
  console.log(story);
}
