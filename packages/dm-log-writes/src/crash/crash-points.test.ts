import { expect, it } from "vitest";
import { sourceOfBytes } from "../../test/log-of.ts";
import { type MadeEntry, madeLog } from "../../test/made-log.ts";
import { END_MARK, LogFlag } from "../log-format.ts";
import { LogReader } from "../log-reader.ts";
import { crashPoints } from "./crash-points.ts";
import { crashStates } from "./crash-states.ts";

const write = (sector: number, sectors = 1): MadeEntry => ({ flags: 0, sector, sectors, byte: 1 });
const fua = (sector: number): MadeEntry => ({ flags: LogFlag.Fua, sector, sectors: 1, byte: 2 });
const flush: MadeEntry = { flags: LogFlag.Flush };
const mark = (text: string): MadeEntry => ({ flags: LogFlag.Mark, mark: text });

/** `after 2, settled 1 2, loose 4, mark a`: one line for each point. */
async function pointsOf(...entries: readonly MadeEntry[]): Promise<string[]> {
  const log = await LogReader.open(sourceOfBytes(madeLog(entries)));
  const lines: string[] = [];
  for await (const { afterEntry, settled, loose, mark } of crashPoints(log)) {
    const numbers = (writes: typeof loose): string =>
      writes.map(({ entry }) => entry.number).join(" ") || "nothing";
    const text = `after ${String(afterEntry)}: ${numbers(settled)} settled, ${numbers(loose)} loose`;
    lines.push(mark === null ? text : `${text}, ${mark.text}`);
  }
  return lines;
}

it("what was written is loose up to the next flush, and then settled", async () => {
  expect(await pointsOf(write(0), write(1), flush, write(2))).toEqual([
    "after 0: nothing settled, 1 2 loose",
    "after 3: 1 2 settled, 4 loose",
  ]);
});

it("a FUA settles itself and nothing else", async () => {
  expect(await pointsOf(write(0), fua(1), flush)).toEqual([
    "after 0: nothing settled, 1 2 loose",
    "after 2: 2 settled, 1 loose",
    "after 3: 1 settled, nothing loose",
  ]);
});

it("a mark is a promise from the stretch on in which it stands; the one that ends a log is none", async () => {
  expect(
    await pointsOf(write(0), flush, mark("a"), mark("b"), write(1), flush, mark(END_MARK)),
  ).toEqual([
    "after 0: nothing settled, 1 loose",
    "after 2: 1 settled, 5 loose, b",
    "after 6: 5 settled, nothing loose, b",
  ]);
});

it("a state is not tried twice: nothing lost before a flush is everything lost after it", async () => {
  const log = await LogReader.open(sourceOfBytes(madeLog([write(0), flush, write(1), flush])));
  const lost: number[][] = [];
  for await (const point of crashPoints(log)) {
    for (const state of crashStates(point, { statesMax: 8 })) {
      lost.push(state.lost.map(({ entry }) => entry.number));
    }
  }
  expect(lost).toEqual([[1], [3], []]);
});

it("of a hundred writes a third of the states lose one, a third have one, and lots are drawn for the rest", async () => {
  const many = Array.from({ length: 100 }, (_, sector) => write(sector));
  const log = await LogReader.open(sourceOfBytes(madeLog([...many])));
  for await (const point of crashPoints(log)) {
    const counts = [...crashStates(point, { statesMax: 32 })].map(({ lost }) => lost.length);
    expect(counts.slice(0, 2)).toEqual([100, 0]);
    expect(counts.slice(2, 22)).toEqual([
      ...Array<number>(10).fill(1),
      ...Array<number>(10).fill(99),
    ]);
    expect(counts.slice(22).some((count) => count > 1 && count < 99)).toBe(true);
    expect(counts).toHaveLength(32);
  }
});
