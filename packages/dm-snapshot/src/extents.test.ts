import { type Extent, ExtentLayer } from "@blkstack/block";
import type { LateDisk } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { Bench } from "../test/rig.ts";

const ZERO = 3;

/** Makes a disk tell that it reads as zeroes. */
function blank(disk: LateDisk): void {
  Object.assign(disk, {
    findExtent(_sector: number, extent: Extent) {
      extent.flags = ZERO;
    },
  });
}

async function snapshotOfBlank(store: string): Promise<Bench> {
  const bench = new Bench();
  blank(bench.disk("origin", 64));
  bench.disk("cow", 256);
  await bench.create("o", "0 64 snapshot-origin origin");
  await bench.create("s", `0 64 snapshot origin cow ${store} 8`);
  return bench;
}

function look(bench: Bench, name: string, sector: number): Extent {
  const extent: Extent = { sectors: 64 - sector, flags: 77, layer: ExtentLayer.Only };
  bench.dm.get(name).findExtent(sector, extent);
  return extent;
}

it("a chunk comes from the origin until one of the two is written to", async () => {
  const bench = await snapshotOfBlank("N");
  expect(look(bench, "s", 3)).toEqual({ sectors: 5, flags: ZERO, layer: ExtentLayer.Origin });
  await bench.write("s", 3, 1, 0xcc);
  expect(look(bench, "s", 3)).toEqual({ sectors: 5, flags: 0, layer: ExtentLayer.Cow });
  await bench.write("o", 16, 8, 0xbb);
  expect(look(bench, "s", 16)).toEqual({ sectors: 8, flags: 0, layer: ExtentLayer.Cow });
});

it("the origin is known as well as the device below it", async () => {
  const bench = await snapshotOfBlank("N");
  expect(look(bench, "o", 3)).toEqual({ sectors: 61, flags: ZERO, layer: ExtentLayer.Only });
});

it("nothing is known of a snapshot that is not valid any more, for reads of it fail", async () => {
  const small = new Bench();
  blank(small.disk("origin", 512));
  small.disk("cow", 64);
  await small.create("o", "0 512 snapshot-origin origin");
  await small.create("s", "0 512 snapshot origin cow P 8");
  expect(look(small, "s", 500).flags).toBe(ZERO);
  for (let sector = 0; sector < 512; sector += 8) await small.write("o", sector, 8, 1);
  expect(small.status("s")).toBe("Invalid");
  expect(look(small, "s", 500).flags).toBe(0);
});
