import { BioOp, BioStatus, isDataless } from "@blkstack/bio";
import { type MakeModel, type ModelRequest, remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { flakey } from "./flakey.ts";

const plain = remaps((sector) => ({ disk: "a", sector: sector + 1 }));

/** As `linear`, where `change` has nothing else to say. */
function unlike(
  change: (request: ModelRequest) => "fails" | "drops" | Uint8Array | null,
): MakeModel {
  return (setting) => {
    const model = plain(setting);
    return {
      exactDisks: model.exactDisks,
      serve(request) {
        const changed = change(request);
        if (changed === "fails") return { status: BioStatus.IoError, bytes: null };
        if (changed === "drops") return { status: BioStatus.Ok, bytes: null };
        if (changed === null) return model.serve(request);
        return model.serve({ ...request, bytes: changed });
      },
    };
  };
}

/** A second up, a second down, in turn. */
const isDown = ({ atMs }: ModelRequest): boolean => Math.floor(atMs / 1000) % 2 === 1;

testTarget({
  target: flakey,
  claims: { takes: ["discard"] },
  tables: [
    { line: "flakey a 1 10 0", tells: "flakey 7:0 1 10 0 0", model: plain },
    {
      line: "flakey a 1 1 1",
      tells: "flakey 7:0 1 1 1 0",
      model: unlike((request) => (isDown(request) ? "fails" : null)),
    },
    {
      line: "flakey a 1 0 1 1 drop_writes",
      model: unlike(({ op }) => (op === BioOp.Read ? null : "drops")),
      except: {
        flush: "forgets what is written",
        fua: "forgets what is written",
        "power-cut": "forgets what is written",
      },
    },
    {
      line: "flakey a 1 0 1 5 corrupt_bio_byte 3 w 99 0",
      model: unlike(({ op, bytes }) => {
        if (op !== BioOp.Write || isDataless(op)) return null;
        const changed = bytes.slice();
        changed[2] = 99;
        return changed;
      }),
      except: { "power-cut": "keeps other data than was written" },
    },
  ],
  invalidTables: [
    { line: "flakey a 0 1", says: "Invalid argument count" },
    { line: "flakey a 0 x 1", says: "Invalid up interval" },
    { line: "flakey a 0 0 0", says: "Total (up + down) interval is zero" },
    { line: "flakey a 0 1 1 1 no_such_feature", says: "Unrecognised flakey feature requested" },
    { line: "flakey none 0 1 1", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
