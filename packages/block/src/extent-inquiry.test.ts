import { expect, it } from "vitest";
import { type Extent, ExtentInquiry, ExtentLayer, findExtent } from "./index.ts";
import type { AskedExtent, AskingDevice, BlockDevice } from "./index.ts";

const HOLE = 3;

/** A device of holes and data in turn, each so long, which is told of so many at a time. */
function asking(runSectors: number, runsAtOnce: number) {
  const questions: number[] = [];
  const device: AskingDevice & Pick<BlockDevice, "findExtent"> = {
    findExtent(sector, extent) {
      extent.inquiry?.look(device, sector, extent);
    },
    askExtents(sector) {
      questions.push(sector);
      const extents: AskedExtent[] = [];
      for (let at = sector; extents.length < runsAtOnce;) {
        const left = runSectors - (at % runSectors);
        extents.push({ sectors: left, flags: Math.floor(at / runSectors) % 2 === 0 ? HOLE : 0 });
        at += left;
      }
      return Promise.resolve(extents);
    },
  };
  return { device: device as unknown as BlockDevice, questions };
}

/** Flags of each sector, as somebody finds out who can wait. */
async function flagsOf(device: BlockDevice, begin: number, end: number): Promise<number[]> {
  const inquiry = new ExtentInquiry();
  const flags: number[] = [];
  for (let sector = begin; sector < end;) {
    const extent: Extent = { sectors: end - sector, flags: 9, layer: ExtentLayer.Cow, inquiry };
    findExtent(device, sector, extent);
    if (inquiry.hasQuestion) {
      await inquiry.ask();
      continue;
    }
    expect(extent.layer).toBe(ExtentLayer.Only);
    flags.push(...new Array<number>(extent.sectors).fill(extent.flags));
    sector += extent.sectors;
  }
  return flags;
}

it("what a device must ask others for is known to whoever can wait, to the sector", async () => {
  for (const runsAtOnce of [1, 2, 100]) {
    const { device } = asking(3, runsAtOnce);
    expect(await flagsOf(device, 1, 9)).toEqual([3, 3, 0, 0, 0, 3, 3, 3]);
  }
});

it("one answer is enough for all that it tells of", async () => {
  const { device, questions } = asking(3, 4);
  await flagsOf(device, 1, 24);
  expect(questions).toEqual([1, 12]);
});

it("what nobody knows is data, and so is what is asked for too often", async () => {
  const mute = asking(8, 0);
  expect(await flagsOf(mute.device, 0, 3)).toEqual([0, 0, 0]);
  const chatty = asking(1, 1);
  const flags = await flagsOf(chatty.device, 0, 40);
  expect(flags.slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? 3 : 0)));
  expect(flags.slice(16)).toEqual(new Array(24).fill(0));
  expect(chatty.questions).toHaveLength(16);
});

it("answers of one conversation are no part of the next", async () => {
  const { device, questions } = asking(3, 100);
  await flagsOf(device, 0, 9);
  await flagsOf(device, 0, 9);
  expect(questions).toHaveLength(2);
});
