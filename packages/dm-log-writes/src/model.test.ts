import { BioFlag, BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { expect, it } from "vitest";
import { linesOf, sourceOf, targetOf } from "../test/log-of.ts";
import { TargetRig } from "@blkstack/conformance";
import { replayLog } from "./index.ts";
import { logWrites } from "./log-writes.ts";

const SECTORS = 24;

type Step =
  | { readonly what: "write" | "fua"; readonly sector: number; readonly sectors: number }
  | { readonly what: "discard"; readonly sector: number; readonly sectors: number }
  | { readonly what: "flush" }
  | { readonly what: "mark" }
  /** One of the operations that are under way at the disk ends. */
  | { readonly what: "end"; readonly which: number };

const range = { sector: fc.nat({ max: SECTORS - 4 }), sectors: fc.integer({ min: 1, max: 4 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("write" as const), ...range }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("fua" as const), ...range }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("discard" as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("flush" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("mark" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant("end" as const), which: fc.nat({ max: 30 }) }),
  },
);

/** What one entry of the log is to do to a disk; null: nothing. */
interface Expected {
  readonly line: string;
  readonly sector: number;
  readonly sectors: number;
  readonly byte: number | null;
}

/** Something under way, as the model sees it. */
interface UnderWay extends Expected {
  readonly kind: Step["what"];
  /** Of a flush: what had ended when it came. */
  readonly flushed: Expected[];
}

/** The log, naively: two lists, and what is under way. */
class Model {
  readonly log: Expected[] = [];
  readonly underWay: UnderWay[] = [];
  #ended: Expected[] = [];

  begin(kind: Step["what"], line: string, sector = 0, sectors = 0, byte: number | null = null) {
    const flushed = kind === "flush" ? this.#ended : [];
    if (kind === "flush") this.#ended = [];
    this.underWay.push({ kind, line, sector, sectors, byte, flushed });
  }

  end(which: number): void {
    const [done] = this.underWay.splice(which, 1);
    if (done === undefined) return;
    if (done.kind === "flush") this.log.push(...done.flushed, done);
    else if (done.kind === "fua") this.log.push(done);
    else this.#ended.push(done);
  }

  mark(text: string): void {
    this.log.push({ line: `mark ${text}`, sector: 0, sectors: 0, byte: null });
  }

  close(): void {
    while (this.underWay.length > 0) this.end(0);
    this.log.push(...this.#ended);
    this.mark("dm-log-writes-end");
  }

  /** A disk after the first `count` entries. */
  diskAfter(count: number): Uint8Array {
    const disk = new Uint8Array(SECTORS * SECTOR_BYTES);
    for (const { sector, sectors, byte } of this.log.slice(0, count)) {
      const [from, to] = [sector * SECTOR_BYTES, (sector + sectors) * SECTOR_BYTES];
      if (byte !== null) disk.fill(byte, from, to);
    }
    return disk;
  }
}

/** Does the steps for real, and in the model; answers both when all is over. */
async function play(history: readonly Step[]): Promise<{ rig: TargetRig; model: Model }> {
  const scheduler = new VirtualScheduler({ interrupts: "queued" });
  const rig = new TargetRig(scheduler, { types: [logWrites] });
  const model = new Model();
  await scheduler.perform("create", (task) => {
    return rig.dm.create("md", task, { table: `0 ${String(SECTORS)} log-writes a b` });
  });
  const send = async (op: BioOp, sector: number, sectors: number, byte: number, flags: number) => {
    const { bio } = rig.bio(op, { sector, sectors }, { byte, flags });
    scheduler.spawn("sender", (task) => rig.submitter.submitBio(bio, task));
    await scheduler.runTasks();
  };
  /** Lets the log write what it has, so that only operations of the data are under way. */
  const settleLog = async (): Promise<void> => {
    for (;;) {
      await scheduler.runTasks();
      const index = scheduler.pendingInterrupts.findIndex(({ source }) => source === rig.b);
      if (index < 0) return;
      scheduler.completeInterrupt(index);
    }
  };
  for (const [index, each] of history.entries()) {
    const byte = (index % 250) + 1;
    if (each.what === "end") {
      if (model.underWay.length === 0) continue;
      const which = each.which % model.underWay.length;
      scheduler.completeInterrupt(which);
      model.end(which);
    } else if (each.what === "mark") {
      scheduler.spawn("marker", async (task) => {
        await rig.dm.message("md", 0, ["mark", String(index)], task);
      });
      await settleLog();
      model.mark(String(index));
    } else if (each.what === "flush") {
      await send(BioOp.Write, 0, 0, 0, 0);
      model.begin("flush", "flush");
    } else {
      const { what, sector, sectors } = each;
      const isDiscard = what === "discard";
      const flags = what === "fua" ? BioFlag.Fua : 0;
      await send(isDiscard ? BioOp.Discard : BioOp.Write, sector, sectors, byte, flags);
      const place = `${String(sector)}+${String(sectors)}`;
      const line = isDiscard ? `discard ${place}` : `${what} ${place} ${String(byte)}`;
      model.begin(what, line, sector, sectors, isDiscard ? 0 : byte);
    }
    await settleLog();
  }
  while (model.underWay.length > 0) {
    scheduler.completeInterrupt(0);
    model.end(0);
    await settleLog();
  }
  await scheduler.perform("remove", (task) => rig.dm.remove("md", task));
  model.close();
  return { rig, model };
}

it("has the entries that a naive model has, whatever is written and in whatever order it ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (history) => {
      const { rig, model } = await play(history);
      expect(await linesOf(sourceOf(rig.b))).toEqual(model.log.map(({ line }) => line));
    }),
    { numRuns: 100 },
  );
});

it("replayed up to any mark or entry, is the disk that the model has there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
      const { rig, model } = await play(history);
      for (const [index, { line }] of model.log.entries()) {
        const isPlace = line === "flush" || line.startsWith("mark") || line.startsWith("fua");
        if (!isPlace) continue;
        const count = index + 1;
        const mark = /^mark (?<text>.*)$/.exec(line)?.groups?.["text"];
        for (const to of mark === undefined ? [count] : [count, mark]) {
          const disk = new Uint8Array(SECTORS * SECTOR_BYTES);
          const replayed = await replayLog(sourceOf(rig.b), targetOf(disk), { to });
          expect(replayed.entries).toBe(count);
          expect(Buffer.compare(disk, model.diskAfter(count))).toBe(0);
        }
      }
    }),
    { numRuns: 60 },
  );
});

it("replayed as a whole, is the disk as it was left, if each write ended before the next", async () => {
  // But for FUA, which stands in the log before what had ended earlier and was not flushed.
  const whole = step.filter(({ what }) => what !== "end" && what !== "fua");
  await fc.assert(
    fc.asyncProperty(fc.array(whole, { maxLength: 30 }), async (history) => {
      const { rig } = await play(history.flatMap((each) => [each, { what: "end", which: 0 }]));
      const disk = new Uint8Array(SECTORS * SECTOR_BYTES);
      await replayLog(sourceOf(rig.b), targetOf(disk));
      const left = new Uint8Array(disk.length);
      rig.a.peek(0, left);
      expect(Buffer.compare(disk, left)).toBe(0);
    }),
    { numRuns: 60 },
  );
});
