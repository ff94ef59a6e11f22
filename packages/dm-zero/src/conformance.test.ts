import { BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { answers } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { zero } from "./zero.ts";

testTarget({
  target: zero,
  claims: {
    except: {
      errors: "uses no disk",
      flush: "forgets what is written",
      fua: "forgets what is written",
      "power-cut": "forgets what is written",
    },
  },
  tables: [
    {
      line: "zero",
      model: answers(({ op, flags, sectors }) => {
        if ((flags & BioFlag.ReadAhead) !== 0) return { status: BioStatus.IoError, bytes: null };
        const bytes = op === BioOp.Read ? new Uint8Array(sectors * SECTOR_BYTES) : null;
        return { status: BioStatus.Ok, bytes };
      }),
    },
  ],
  invalidTables: [{ line: "zero a", says: "No arguments required" }],
});
