import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { exploreTest, type World } from "@blkstack/explorer";
import { allFail, choosesFailures, type Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { describe, it } from "vitest";
import { bounce } from "./index.ts";

/** Sectors that one sender writes and reads: more than a page. */
const SECTORS = 12;

type Shortage = (memory: Memory, world: World) => void;

const SHORTAGES: Record<string, Shortage> = {
  "there is memory": () => undefined,
  "there is none": (memory) => {
    memory.faultPlan = allFail;
  },
  "any three allocations fail": (memory, { scheduler }) => {
    memory.faultPlan = choosesFailures(scheduler, 3);
  },
};

/** Each writes its range and reads it back, all at once, with few pages to bounce through. */
function senders(
  world: World,
  count: number,
  { pages, runShort }: { pages: number; runShort: Shortage },
) {
  const rig = new TargetRig(world.scheduler, { types: [bounce], sizeSectors: 64 });
  const problems: string[] = [];
  let ended = 0;
  const send = async (index: number, task: Task): Promise<void> => {
    const range = { sector: 16 * index, sectors: SECTORS };
    const written = rig.bio(BioOp.Write, range, { byte: index + 1 });
    const read = rig.bio(BioOp.Read, range);
    for (const sent of [written, read]) {
      const status = await rig.send(sent, task);
      if (status !== BioStatus.Ok) problems.push(`${sent.bio.toString()}: ${String(status)}`);
    }
    if (read.bytes.some((byte) => byte !== index + 1))
      problems.push(`${String(index)} reads wrong`);
    ended += 1;
  };
  const table = `0 64 bounce a 0 4 align 512 pool ${String(pages)}`;
  return {
    tasks: {
      people: async (task: Task) => {
        await rig.dm.create("md", task, { table });
        runShort(rig.memory, world);
        for (let index = 0; index < count; index += 1) {
          world.scheduler.spawn(`sender ${String(index)}`, (self) => send(index, self));
        }
      },
    },
    check: () => {
      if (ended !== count) problems.push(`${String(ended)} of ${String(count)} came to an end`);
      const status = rig.dm.status("md")[0] ?? "";
      // None would be bounced if their memory happened to suit.
      if (!status.endsWith(` 0/${String(pages)}`)) problems.push(`pages are missing: ${status}`);
      if (status.includes(" bounce 0 ")) problems.push(`nothing was bounced: ${status}`);
      return problems;
    },
  };
}

describe("bios whose memory must be replaced, through a pool of one page or two", () => {
  const kinds = [1, 2].flatMap((pages) =>
    Object.keys(SHORTAGES).map((name) => [pages, name] as const),
  );
  it.each(kinds)("all end with their data, whichever ends first (%i: %s)", (pages, name) => {
    const runShort = SHORTAGES[name] ?? (() => undefined);
    return exploreTest((world) => senders(world, 3, { pages, runShort }), {
      strategy: "random",
      executions: 150,
    })();
  });
});
