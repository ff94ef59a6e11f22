import { BioOp, BioStatus, isDataless, statusName } from "@blkstack/bio";
import type { ExercisedSubject, RuleOfTables } from "../suite/checked-rule.ts";
import { firstDifference, sectorOf } from "../suite/content.ts";
import { type Exercise, expectedAndFound, type Step } from "../suite/exercise.ts";
import { errorText } from "../suite/rule.ts";
import { lowerText } from "../suite/suite-disk.ts";

/** Judges the steps of all exercises one by one; the first complaint counts. */
async function eachStep(
  subject: ExercisedSubject,
  judge: (step: Step, exercise: Exercise) => string | null,
): Promise<string | null> {
  for (const exercise of await subject.exercises()) {
    for (const [index, step] of exercise.steps.entries()) {
      const complaint = judge(step, exercise);
      if (complaint !== null)
        return `${placeOf(exercise)}bio ${String(index + 1)}, ${step.text}: ${complaint}`;
    }
  }
  return null;
}

async function misdeedOf(subject: ExercisedSubject, rule: string): Promise<string | null> {
  for (const exercise of await subject.exercises()) {
    const misdeed = exercise.rig.spy.misdeeds.find((each) => each.rule === rule);
    if (misdeed !== undefined) return `${placeOf(exercise)}${misdeed.what}`;
  }
  return null;
}

function placeOf({ rig }: Exercise): string {
  return rig.begin === 0 ? "" : `behind ${String(rig.begin)} other sectors, `;
}

/** What has not ended, or was thrown out of, is for other rules to tell. */
function hasEndedWell({ sent, error }: Step): boolean {
  return error === null && sent.status === BioStatus.Ok;
}

export const endsOnce: RuleOfTables = {
  name: "ends-once",
  says: "every bio ends, once, within the time that the target claims",
  check: async (subject) =>
    (await misdeedOf(subject, "ends-once")) ??
    (await eachStep(subject, ({ sent, error }) => {
      if (error !== null) return `this was thrown: ${errorText(error)}`;
      if (sent.ends === 1) return null;
      return sent.ends === 0 ? "has not ended" : `ended ${String(sent.ends)} times`;
    })),
};

export const endIo: RuleOfTables = {
  name: "end-io",
  says: "endIo answers at once: it does not wait, throw or submit",
  check: (subject) => misdeedOf(subject, "end-io"),
};

export const statuses: RuleOfTables = {
  name: "statuses",
  says: "reads, writes and flushes end with the status that the model has for them",
  check: (subject) =>
    eachStep(subject, ({ request, expected, sent }) => {
      if (isDataless(request.op) || sent.status === null || expected === null) return null;
      if (sent.status === expected.status) return null;
      return `should end with ${statusName(expected.status)}, and ended with ${statusName(sent.status)}`;
    }),
};

export const operations: RuleOfTables = {
  name: "operations",
  says: "operations that the target claims to take are done, all others refused (EOPNOTSUPP)",
  check: (subject) =>
    eachStep(subject, ({ request, expected, sent, came }) => {
      if (!isDataless(request.op) || sent.status === null) return null;
      const wanted = expected?.status ?? BioStatus.NotSupported;
      if (sent.status !== wanted) {
        const claim = expected === null ? "is not claimed" : "is claimed";
        return `${claim}, so should end with ${statusName(wanted)}, and ended with ${statusName(sent.status)}`;
      }
      const [first] = expected === null ? came : [];
      return first === undefined ? null : `is refused, and yet ${lowerText(first)} came`;
    }),
};

export const data: RuleOfTables = {
  name: "data",
  says: "reads find what the model has, and disks that it knows all of hold what it says",
  check: (subject) =>
    eachStep(subject, (step, { rig }) => {
      const { request, expected, sent, diskDifference } = step;
      if (expected?.status !== sent.status || step.error !== null) return null;
      if (diskDifference !== null) return `afterwards ${diskDifference}`;
      const { bytes } = expected;
      if (request.op !== BioOp.Read || bytes === null || !hasEndedWell(step)) return null;
      const sector = firstDifference(bytes, sent.bytes);
      if (sector < 0) return null;
      const found = expectedAndFound(rig, sectorOf(bytes, sector), sectorOf(sent.bytes, sector));
      return `sector ${String(request.sector + sector)} ${found}`;
    }),
};

export const sendersMemory: RuleOfTables = {
  name: "senders-memory",
  says: "what a bio writes is still the same in its sender's memory when it has ended",
  check: (subject) =>
    eachStep(subject, ({ request, sent }) => {
      if (request.op !== BioOp.Write) return null;
      const at = sent.bytes.findIndex((byte, index) => byte !== sent.before[index]);
      return at < 0 ? null : `byte ${String(at)} of the sender's memory was changed`;
    }),
};

export const staysInside: RuleOfTables = {
  name: "stays-inside",
  says: "bios come to those ranges of disks only that the target tells as its devices",
  check: (subject) =>
    eachStep(subject, ({ came }, { rig }) => {
      const { ownDisks = [] } = subject.suite.claims ?? {};
      const ranges = rig.spy.targets.flatMap((target) => target.devices?.() ?? []);
      for (const bio of came) {
        if (bio.sectors === 0 || ownDisks.includes(bio.disk)) continue;
        const isInside = ranges.some(
          ({ device, startSector, sizeSectors }) =>
            device.name === bio.disk &&
            bio.sector >= startSector &&
            bio.sector + bio.sectors <= startSector + sizeSectors,
        );
        if (!isInside) return `${lowerText(bio)} came, which is outside the target's devices()`;
      }
      return null;
    }),
};
