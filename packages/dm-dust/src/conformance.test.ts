import { BioOp, BioStatus } from "@blkstack/bio";
import { type MakeModel, remaps } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { dust } from "./dust.ts";

const plain = remaps((sector) => ({ disk: "a", sector: sector + 2 }));

/** As `linear`, but reads of the block fail until it is written, a whole bio for one block. */
function rotten(first: number, sectors: number): MakeModel {
  return (setting) => {
    const model = plain(setting);
    let isBad = true;
    return {
      exactDisks: model.exactDisks,
      serve(request) {
        const isHit =
          request.sectors > 0 &&
          request.sector < first + sectors &&
          request.sector + request.sectors > first;
        if (isHit && request.op !== BioOp.Read) isBad = false;
        if (isHit && isBad) return { status: BioStatus.IoError, bytes: null };
        return model.serve(request);
      },
    };
  };
}

testTarget({
  target: dust,
  claims: { takes: ["discard"] },
  tables: [
    { line: "dust a 2 512", model: plain },
    {
      line: "dust a 2 2048",
      model: rotten(4, 4),
      except: {
        flush: "blocks are bad again when the table is loaded",
        fua: "blocks are bad again when the table is loaded",
        "power-cut": "blocks are bad again when the table is loaded",
      },
      async prepare(dm, task) {
        const sector = dm.get("md").sizeSectors - 1;
        await dm.message("md", sector, ["addbadblock", "1"], task);
        await dm.message("md", sector, ["enable"], task);
      },
    },
  ],
  invalidTables: [
    { line: "dust a 0", says: "Invalid argument count" },
    { line: "dust a x 512", says: "Invalid device sector" },
    { line: "dust a 0 513", says: "Invalid block size parameter" },
    { line: "dust none 0 512", says: "Device lookup failed", errno: "ENODEV" },
  ],
});
