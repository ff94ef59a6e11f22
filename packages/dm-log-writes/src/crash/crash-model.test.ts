import { SECTOR_BYTES } from "@blkstack/bio";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sourceOfBytes, targetOf } from "../../test/log-of.ts";
import { type MadeEntry, madeLog } from "../../test/made-log.ts";
import { LogFlag } from "../log-format.ts";
import { LogReader } from "../log-reader.ts";
import { CrashDisk, type CrashTarget } from "./crash-disk.ts";
import { type CrashPoint, crashPoints } from "./crash-points.ts";
import { crashStates, isStateOf } from "./crash-states.ts";

const DISK_SECTORS = 5;

/** What one command did; each write has a byte of its own. */
interface Command {
  readonly kind: "write" | "discard" | "flush" | "fua" | "flushed write" | "flushed fua";
  readonly sector: number;
  readonly sectors: number;
}

const FLAGS: Readonly<Record<Command["kind"], number>> = {
  write: 0,
  discard: LogFlag.Discard,
  flush: LogFlag.Flush,
  fua: LogFlag.Fua,
  "flushed write": LogFlag.Flush,
  "flushed fua": LogFlag.Flush | LogFlag.Fua,
};

const command: fc.Arbitrary<Command> = fc
  .record({
    kind: fc.constantFrom(...(["write", "write", "discard", "flush", "fua"] as const)),
    hasFlush: fc.boolean(),
    sector: fc.integer({ min: 0, max: DISK_SECTORS - 1 }),
    sectors: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ kind, hasFlush, sector, sectors }) => {
    const flushed = kind === "write" ? "flushed write" : kind === "fua" ? "flushed fua" : kind;
    return {
      kind: hasFlush ? flushed : kind,
      sector,
      sectors: kind === "flush" ? 0 : Math.min(sectors, DISK_SECTORS - sector),
    };
  });

function entriesOf(commands: readonly Command[]): MadeEntry[] {
  return commands.map(({ kind, sector, sectors }, at) => {
    const byte = kind === "discard" ? null : at + 1;
    return { flags: FLAGS[kind], sector, sectors, byte };
  });
}

/** One part of a command that lands or not. */
interface Part {
  readonly command: number;
  readonly sector: number;
  readonly sectors: number;
  readonly byte: number;
}

function partsOf(commands: readonly Command[], torn: boolean): Part[] {
  return commands.flatMap(({ kind, sector, sectors }, command) => {
    const byte = kind === "discard" ? 0 : command + 1;
    if (!torn) return sectors === 0 ? [] : [{ command, sector, sectors, byte }];
    return Array.from({ length: sectors }, (_, index) => {
      return { command, sector: sector + index, sectors: 1, byte };
    });
  });
}

/**
 * All that a power cut can leave, naively: before, during and after each command, each set of what is
 * not durable; what landed is written in the order of the commands.
 */
function legalImages(commands: readonly Command[], torn: boolean): Set<string> {
  const images = new Set<string>();
  const parts = partsOf(commands, torn);
  const cut = (durable: ReadonlySet<Part>, loose: readonly Part[]): void => {
    for (let set = 0; set < 2 ** loose.length; set += 1) {
      const disk = new Array<number>(DISK_SECTORS).fill(99);
      for (const part of parts) {
        const at = loose.indexOf(part);
        const isThere = durable.has(part) || (at >= 0 && ((set >> at) & 1) === 1);
        if (isThere) disk.fill(part.byte, part.sector, part.sector + part.sectors);
      }
      images.add(disk.join());
    }
  };
  const durable = new Set<Part>();
  let loose: Part[] = [];
  cut(durable, loose);
  for (const [at, { kind }] of commands.entries()) {
    const own = parts.filter((part) => part.command === at);
    const hasFlush = kind === "flush" || kind.startsWith("flushed");
    if (hasFlush) {
      cut(durable, loose);
      for (const part of loose) durable.add(part);
      loose = [];
    }
    cut(durable, [...loose, ...own]);
    if (kind.endsWith("fua")) for (const part of own) durable.add(part);
    else loose.push(...own);
    cut(durable, loose);
  }
  return images;
}

function crashTargetOf(bytes: Uint8Array): CrashTarget {
  return {
    ...targetOf(bytes),
    read(offsetBytes, into) {
      into.set(bytes.subarray(offsetBytes, offsetBytes + into.length));
      return true;
    },
  };
}

function imageOf(bytes: Uint8Array): string {
  const sectors = Array.from({ length: DISK_SECTORS }, (_, at) => {
    const sector = bytes.subarray(at * SECTOR_BYTES, (at + 1) * SECTOR_BYTES);
    // A sector that is made of two writes would be none of the model's.
    return new Set(sector).size === 1 ? sector[0] : NaN;
  });
  return sectors.join();
}

async function rebuiltImages(
  commands: readonly Command[],
  options: { torn: boolean; statesMax: number; ignoreFlushes?: boolean },
): Promise<string[]> {
  const log = await LogReader.open(sourceOfBytes(madeLog(entriesOf(commands))));
  const bytes = new Uint8Array(DISK_SECTORS * SECTOR_BYTES).fill(99);
  const disk = new CrashDisk(log, crashTargetOf(bytes));
  const images: string[] = [];
  for await (const point of crashPoints(log, options)) {
    await disk.advance(point);
    const durable = imageOf(bytes);
    for (const state of crashStates(point, options)) {
      expect(isStateOf(point, state.lost)).toBe(true);
      await disk.show(state);
      images.push(imageOf(bytes));
    }
    await disk.takeBack();
    expect(imageOf(bytes)).toBe(durable);
  }
  return images;
}

const commands = fc.array(command, { maxLength: 7 });

it.each([false, true])(
  "rebuilt is all that a power cut can leave, and nothing else; torn: %s",
  async (torn) => {
    await fc.assert(
      fc.asyncProperty(commands, async (done) => {
        const images = await rebuiltImages(done, { torn, statesMax: 2 ** 15 });
        expect(new Set(images)).toEqual(legalImages(done, torn));
      }),
      { numRuns: 150 },
    );
  },
);

it("a disk that ignores flushes can lose any of what was ever written", async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (done) => {
      const options = { torn: false, statesMax: 2 ** 15, ignoreFlushes: true };
      const images = await rebuiltImages(done, options);
      const plain = done.map((each): Command => {
        const kind = each.kind === "flush" || each.kind === "discard" ? each.kind : "write";
        return { ...each, kind };
      });
      const unflushed = plain.filter(({ kind }) => kind !== "flush");
      const bytes = plain.flatMap(({ kind }, at) => (kind === "flush" ? [] : [at + 1]));
      // The model numbers writes by their place, and here flushes have none.
      const legal = [...legalImages(unflushed, false)].map((image) =>
        image
          .split(",")
          .map((byte) => (byte === "0" || byte === "99" ? byte : bytes[Number(byte) - 1]))
          .join(),
      );
      const barriers = done.filter(({ kind }) => kind !== "write" && kind !== "discard");
      // Behind a flush of its own, nothing lands before the rest: such a write makes fewer.
      if (barriers.every(({ kind }) => kind === "flush" || kind === "fua")) {
        expect(new Set(images)).toEqual(new Set(legal));
      } else {
        expect(legal).toEqual(expect.arrayContaining(images));
      }
    }),
    { numRuns: 100 },
  );
});

it("of too many states some are tried, each legal, and no more than were asked for", async () => {
  await fc.assert(
    fc.asyncProperty(commands, fc.integer({ min: 1, max: 6 }), async (done, statesMax) => {
      const options = { torn: true, statesMax };
      const images = await rebuiltImages(done, options);
      expect(images).toEqual(await rebuiltImages(done, options));
      expect([...legalImages(done, true)]).toEqual(expect.arrayContaining(images));
      const log = await LogReader.open(sourceOfBytes(madeLog(entriesOf(done))));
      for await (const point of crashPoints(log)) {
        const states = [...crashStates(point, options)];
        const most = point.behindFlush === null ? statesMax : 2 * statesMax;
        expect(states.length).toBeLessThanOrEqual(most);
        expect(new Set(states.map(({ lost }) => lost.map(keyOf).join())).size).toBe(states.length);
      }
    }),
    { numRuns: 100 },
  );
});

function keyOf({ entry, ranges }: CrashPoint["loose"][number]): string {
  return `${String(entry.number)}:${ranges.map(({ sector }) => sector).join("+")}`;
}
