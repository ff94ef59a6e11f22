import { type PlaceOf, remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { striped } from "./striped.ts";

/** Chunk after chunk, one device after the other. */
function stripes(chunkSectors: number, ...starts: readonly [string, number][]): PlaceOf {
  return (sector) => {
    const chunk = Math.floor(sector / chunkSectors);
    const [disk, start] = starts[chunk % starts.length] ?? ["", 0];
    const row = Math.floor(chunk / starts.length);
    return { disk, sector: start + row * chunkSectors + (sector % chunkSectors) };
  };
}

testTarget({
  target: striped,
  claims: { takes: ["discard", "writeZeroes", "secureErase"] },
  tables: [
    { line: "striped 2 8 a 0 b 8", model: remaps(stripes(8, ["a", 0], ["b", 8])) },
    {
      line: "striped 3 3 a 0 b 1 a 32",
      sizeSectors: 27,
      model: remaps(stripes(3, ["a", 0], ["b", 1], ["a", 32])),
    },
  ],
  invalidTables: [
    { line: "striped 2", says: "Not enough arguments" },
    { line: "striped 0 8 a 0", says: "Invalid stripe count" },
    { line: "striped 2 0 a 0 b 0", says: "Invalid chunk_size" },
    { line: "striped 3 8 a 0 b 0 a 32", says: "not divisible by number of stripes" },
    { line: "striped 2 8 a 0", says: "Not enough destinations specified" },
    { line: "striped 2 8 a 0 none 0", says: "Couldn't parse stripe destination", errno: "ENODEV" },
  ],
});
