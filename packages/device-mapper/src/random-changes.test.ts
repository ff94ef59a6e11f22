import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError, MapResult } from "@blkstack/block";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { Task } from "@blkstack/task";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Bench, type Sent } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { Interruption } from "./interruption.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const SIZE = 24;

const table = fc
  .array(fc.record({ disk: fc.constantFrom("a", "b"), length: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((lines) => {
    let begin = 0;
    const text = lines.map(({ disk, length }, index) => {
      const left = SIZE - begin;
      const size =
        index === lines.length - 1 ? left : Math.min(length, left - lines.length + index + 1);
      const line = `${String(begin)} ${String(size)} probe ${disk} ${String(begin)}`;
      begin += size;
      return line;
    });
    return text.join("\n");
  });

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("bio" as const),
      op: fc.constantFrom(BioOp.Read, BioOp.Write, BioOp.Discard, BioOp.WriteZeroes),
      flags: fc.constantFrom(0, 0, BioFlag.Preflush, BioFlag.Fua),
      from: fc.nat({ max: SIZE - 1 }),
      length: fc.nat({ max: SIZE }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(99) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("suspend" as const, "noflush" as const, "resume" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("called off" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("load" as const), text: table }) },
);

/** One device under random treatment, and what must hold of it after each step. */
class Story {
  readonly bench: Bench;
  readonly sent: Sent[] = [];
  #lastTold = "";
  #interruption = new Interruption();

  constructor(splitPolicy: typeof frontClone, copies: number, seed: number) {
    const type = probeType({
      copies,
      maxIoSectors: 5,
      map: () => {
        expect(this.bench.dm.info("md").isSuspended).toBe(false);
        return this.bench.dm.get("md").isPushingBack ? MapResult.Requeue : undefined;
      },
      event: (what, begin) => {
        // There always is one target that begins at 0.
        if (begin > 0 || (what !== "postsuspend" && what !== "resume")) return;
        expect(this.#lastTold).not.toBe(what);
        this.#lastTold = what;
      },
    });
    const scheduler = new VirtualScheduler({ seed });
    this.bench = new Bench({ scheduler, splitPolicy, types: [type] });
  }

  hold(isHolding: boolean): void {
    for (const disk of [this.bench.a, this.bench.b]) disk.isHolding = isHolding;
  }

  endAnyOne(which: number): void {
    const { a, b } = this.bench;
    const disk = which % 2 === 0 && a.held.length > 0 ? a : b;
    const [bio] = disk.held.splice(which % (disk.held.length || 1), 1);
    if (bio !== undefined) disk.end(bio);
  }

  async act(kind: string, text: string, task: Task): Promise<void> {
    const { dm } = this.bench;
    if (kind === "load") await dm.load("md", text, task);
    else if (kind === "resume") await dm.resume("md", task);
    else await this.#suspend(kind === "noflush", task);
  }

  callOff(): void {
    this.#interruption.raise();
    this.#interruption = new Interruption();
  }

  async #suspend(noflush: boolean, task: Task): Promise<void> {
    try {
      await this.bench.dm.suspend("md", task, { noflush, interruption: this.#interruption });
    } catch (error) {
      if (!(error instanceof BlockError) || error.errno !== "EINTR") throw error;
    }
  }
}

it("whatever bios come and whatever people do: each bio ends once and well, and nothing is left", async () => {
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.array(action, { maxLength: 25 }),
      fc.constantFrom(frontClone, remainderClone, loop),
      fc.record({ seed: fc.nat(), copies: fc.integer({ min: 1, max: 3 }) }),
      async (first, actions, splitPolicy, { seed, copies }) => {
        const story = new Story(splitPolicy, copies, seed);
        const { bench, sent } = story;
        const { scheduler } = bench;
        await bench.create("md", first);
        story.hold(true);
        for (const step of actions) {
          if (step.kind === "end") story.endAnyOne(step.which);
          else if (step.kind === "called off") story.callOff();
          else if (step.kind === "bio") {
            const { op, from, length } = step;
            const sectors = 1 + (length % (SIZE - from));
            const flags = op === BioOp.Write ? step.flags : 0;
            sent.push(await bench.send("md", op, from, sectors, flags));
          } else {
            const text = step.kind === "load" ? step.text : "";
            scheduler.spawn(step.kind, (task) => story.act(step.kind, text, task));
          }
          await scheduler.run();
          const { inFlight, submitters } = bench.dm.get("md");
          if (bench.dm.info("md").isSuspended) {
            expect([inFlight.count, submitters.count]).toEqual([0, 0]);
          }
          for (const { ends } of sent) expect(ends).toBeLessThan(2);
        }
        bench.a.endAll();
        bench.b.endAll();
        await scheduler.run();
        await bench.perform((task) => bench.dm.resume("md", task));
        await scheduler.run();
        expect(sent.filter(({ ends, status }) => ends !== 1 || status !== BioStatus.Ok)).toEqual(
          [],
        );
        const { inFlight, deferred, pools } = bench.dm.get("md");
        expect([inFlight.count, deferred.count, pools?.liveCount]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 200 },
  );
});
