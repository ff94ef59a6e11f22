import { BioOp, BioStatus } from "@blkstack/bio";
import { keeps, type MakeModel, type PlaceOf, remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { snapshot, snapshotMerge, snapshotOrigin } from "./index.ts";

/** Sectors are those of the origin, wherever the line begins. */
const onOrigin: PlaceOf = (sector, { begin }) => ({ disk: "a", sector: begin + sector });

const forgotten = "its store is forgotten";

testTarget({
  target: snapshot,
  blankDisks: ["b"],
  claims: { ownDisks: ["b"], errors: "any" },
  tables: [
    { line: "snapshot a b P 8", model: keeps(onOrigin, { untouchedDisks: ["a"] }) },
    { line: "snapshot a b P 8 1 write_behind", model: keeps(onOrigin, { untouchedDisks: ["a"] }) },
    { line: "snapshot a b PO 4", model: keeps(onOrigin, { untouchedDisks: ["a"] }) },
    {
      line: "snapshot a b N 8",
      model: keeps(onOrigin, { untouchedDisks: ["a"] }),
      except: { flush: forgotten, fua: forgotten, "power-cut": forgotten },
    },
  ],
  invalidTables: [
    { line: "snapshot a b P", says: "requires 4 or more arguments" },
    { line: "snapshot a b X 8", says: "Couldn't create exception store" },
    { line: "snapshot a b P 7", says: "Chunk size is not a power of 2" },
    { line: "snapshot a none P 8", says: "Cannot get COW device", errno: "ENODEV" },
  ],
});

const CHUNK_SECTORS = 8;

/** What was never written reads as before, also when it was discarded. */
const zeroesItsOwn: MakeModel = (setting) => {
  const model = keeps(onOrigin, { untouchedDisks: ["a"] })(setting);
  const own = new Set<number>();
  const chunkOf = (sector: number): number => Math.floor((setting.begin + sector) / CHUNK_SECTORS);
  return {
    exactDisks: model.exactDisks,
    serve(request) {
      const { op, sector, sectors } = request;
      if (op === BioOp.Read) return model.serve(request);
      if (op !== BioOp.Discard) {
        for (let at = sector; at < sector + sectors; at += 1) own.add(chunkOf(at));
        return model.serve(request);
      }
      for (let at = sector; at < sector + sectors; at += 1) {
        if (own.has(chunkOf(at))) model.serve({ ...request, sector: at, sectors: 1 });
      }
      return { status: BioStatus.Ok, bytes: null };
    },
  };
};

testTarget({
  target: snapshot,
  blankDisks: ["b"],
  claims: { takes: ["discard"], ownDisks: ["b"], errors: "any" },
  tables: [{ line: "snapshot a b P 8 1 discard_zeroes_cow", model: zeroesItsOwn }],
  invalidTables: [
    { line: "snapshot a b P 8 1 discard_passdown_origin", says: "discard_passdown_origin" },
  ],
});

testTarget({
  target: snapshotOrigin,
  others: [snapshot],
  blankDisks: ["b"],
  // A snapshot that cannot be kept is lost, and the origin goes on.
  claims: { ownDisks: ["b"], toleratesErrorsOf: ["b"] },
  tables: [
    { line: "snapshot-origin a", model: remaps(onOrigin) },
    {
      line: "snapshot-origin a",
      model: remaps(onOrigin, { exactDisks: ["a"] }),
      // Whose copies every first write waits for.
      async prepare(dm, task) {
        if (dm.list().some(({ name }) => name === "s")) return;
        await dm.create("s", task, { table: "0 64 snapshot a b N 8" });
      },
    },
  ],
  invalidTables: [
    { line: "snapshot-origin", says: "incorrect number of arguments" },
    { line: "snapshot-origin none", says: "Cannot get target device", errno: "ENODEV" },
  ],
});

testTarget({
  target: snapshotMerge,
  others: [snapshot],
  blankDisks: ["b"],
  claims: { ownDisks: ["b"], errors: "any" },
  tables: [
    {
      line: "snapshot-merge a b P 8",
      // A merge takes over from a snapshot, and not from a merge.
      between: "snapshot a b P 8",
      model: remaps(onOrigin, { exactDisks: ["a"] }),
    },
  ],
  invalidTables: [
    { line: "snapshot-merge a b P", says: "requires 4 or more arguments" },
    { line: "snapshot-merge a none P 8", says: "Cannot get COW device", errno: "ENODEV" },
  ],
});
