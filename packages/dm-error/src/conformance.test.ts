import { fails } from "@blkstack/conformance";
import { testTarget } from "@blkstack/conformance/vitest";
import { error } from "./error.ts";

testTarget({
  target: error,
  claims: {
    except: {
      refusals: "takes any arguments",
      errors: "uses no disk",
      flush: "every write fails",
      fua: "every write fails",
      "power-cut": "every write fails",
    },
  },
  tables: [{ line: "error", model: fails() }],
  invalidTables: [],
});
