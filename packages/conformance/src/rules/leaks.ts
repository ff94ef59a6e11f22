import { BioOp } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { RuleOfTables } from "../suite/checked-rule.ts";
import { perform } from "../suite/exercise.ts";
import { flushRequest, type Request } from "../suite/request.ts";
import { lowerText } from "../suite/suite-disk.ts";
import { SuiteRig, takes } from "../suite/suite-rig.ts";

/** More than any target of a few sectors takes. */
const PAGES = 65_536;
const QUIET_MS = 60_000;

export const leaks: RuleOfTables = {
  name: "leaks",
  says: "when the device is gone, so are its bios, its pools, its pages and its timers",
  async check(subject) {
    const scheduler = new VirtualScheduler();
    const rig = new SuiteRig(scheduler, { subject, memory: { pages: { totalPages: PAGES } } });
    const whole = { sector: 0, sectors: rig.sizeSectors };
    const requests: readonly Request[] = [
      { op: BioOp.Write, ...whole },
      { op: BioOp.Read, ...whole },
      { op: BioOp.Discard, ...whole },
      flushRequest(),
    ];
    // Once for what is made once for all.
    for (let round = 0; round < 2; round += 1) {
      const before = held(rig);
      await scheduler.perform("people", (task) => rig.create(task));
      for (const request of requests.filter(({ op }) => takes(subject, op))) {
        await perform(rig, request);
      }
      const bios = rig.device.pools?.liveCount ?? 0;
      if (bios > 0)
        return `${String(bios)} bios of the device are still in use when all have ended`;
      await scheduler.perform("people", (task) => rig.dm.remove("md", task));
      const complaint = complaintAbout(before, held(rig));
      if (complaint !== null && round > 0) return `when it is removed, ${complaint}`;
    }
    const counts = rig.disks.map(({ came }) => came.length);
    await scheduler.advance(QUIET_MS);
    const late = rig.disks.flatMap(({ came }, index) => came.slice(counts[index]))[0];
    return late === undefined ? null : `${lowerText(late)} came after the device was removed`;
  },
};

interface Held {
  readonly pools: number;
  readonly pages: number;
}

function held({ memory }: SuiteRig): Held {
  return { pools: memory.reserves.size, pages: memory.totalPages - memory.freePages };
}

function complaintAbout(before: Held, after: Held): string | null {
  const pools = after.pools - before.pools;
  if (pools > 0) return `${String(pools)} pools are left`;
  const pages = after.pages - before.pages;
  return pages > 0 ? `${String(pages)} pages are left` : null;
}
