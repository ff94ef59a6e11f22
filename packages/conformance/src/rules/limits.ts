import { type QueueLimits, stackingLimits, stackLimits, validateLimits } from "@blkstack/block";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { nothingSeen, type RuleOfTables } from "../suite/checked-rule.ts";
import { exercise } from "../suite/exercise.ts";
import { type Subject, SuiteRig } from "../suite/suite-rig.ts";

/** Disks that can do less than most. */
const NARROW: Readonly<Record<string, Partial<QueueLimits>>> = {
  "4096-byte blocks": {
    logicalBlockBytes: 4096,
    physicalBlockBytes: 4096,
    ioMinBytes: 4096,
    discardGranularityBytes: 4096,
  },
  "8 sectors at once": { maxSectors: 8, maxHwSectors: 8 },
  "chunks of 8 sectors": { chunkSectors: 8 },
  "2 pieces of memory": { maxSegments: 2 },
};

// Not what stacks limits is asked which fields are narrow how: what it forgets is to be found here.
/** Fields of which a smaller value is narrower; 0 and Infinity are no limit at all. */
const NARROWER_IF_SMALLER = [
  "maxSectors",
  "maxHwSectors",
  "maxSegments",
  "maxSegmentBytes",
  "segmentBoundaryMask",
  "bounceFrame",
  "chunkSectors",
] as const satisfies readonly (keyof QueueLimits)[];

const NARROWER_IF_LARGER = [
  "logicalBlockBytes",
  "physicalBlockBytes",
  "dmaAlignmentMask",
] as const satisfies readonly (keyof QueueLimits)[];

export const limits: RuleOfTables = {
  name: "limits",
  says: "its limits are no wider than those of its disks, and what it sends keeps to them",
  async check(subject) {
    let seen = 0;
    for (const [what, narrow] of Object.entries(NARROW)) {
      const complaint = await complaintOver(subject, narrow);
      if (complaint === "not taken") continue;
      seen += 1;
      if (complaint !== null) return `over disks with ${what}: ${complaint}`;
    }
    return seen === 0 ? nothingSeen("no disk of other limits is taken") : null;
  },
};

/** A table may be refused over such disks: its ranges need not be of whole blocks. */
async function complaintOver(
  subject: Subject,
  narrow: Partial<QueueLimits>,
): Promise<string | null> {
  if (!(await isTaken(subject, narrow))) return "not taken";
  const { rig } = await exercise({ subject, limits: narrow });
  const wrong = rig.disks.flatMap(({ beyondLimits }) => beyondLimits)[0];
  if (wrong !== undefined) return `${wrong}, and the disk says so`;
  return complaintAboutLimits(rig);
}

async function isTaken(subject: Subject, narrow: Partial<QueueLimits>): Promise<boolean> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, { subject, limits: narrow });
  return scheduler.perform("people", (task) =>
    rig.create(task).then(
      () => true,
      () => false,
    ),
  );
}

/** Compares what the device says of itself with what its disks say. */
function complaintAboutLimits({ device, spy, subject }: SuiteRig): string | null {
  const own = device.queue.limits;
  validateLimits(own, device.name);
  const widest = stackingLimits();
  for (const target of spy.targets) {
    for (const range of target.devices?.() ?? []) {
      stackLimits(widest, range.device.queue.limits, range.startSector);
    }
  }
  const { widens = [] } = subject.suite.claims ?? {};
  const isWider = (field: keyof QueueLimits): boolean => !widens.includes(field);
  for (const field of NARROWER_IF_SMALLER.filter(isWider)) {
    if (bound(own[field]) > bound(widest[field])) return wider(field, own, widest);
  }
  for (const field of NARROWER_IF_LARGER.filter(isWider)) {
    if (own[field] < widest[field]) return wider(field, own, widest);
  }
  if (own.canNoWait && !widest.canNoWait && isWider("canNoWait"))
    return wider("canNoWait", own, widest);
  return null;
}

/** 0: no limit. */
function bound(value: number): number {
  return value === 0 ? Infinity : value;
}

function wider(field: keyof QueueLimits, own: QueueLimits, widest: QueueLimits): string {
  return `its ${field} is ${String(own[field])}, wider than the ${String(widest[field])} of the disks`;
}
