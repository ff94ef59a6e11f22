import { expect, it } from "vitest";
import { TableError } from "./table-error.ts";

it.each([
  [{}, "no such thing"],
  [{ lineNumber: 3 }, "table line 3: no such thing"],
  [{ lineNumber: 3, argumentNumber: 2 }, "table line 3, argument 2: no such thing"],
  // An argument of no line in particular is nowhere to be found.
  [{ argumentNumber: 2 }, "no such thing"],
])("a complaint about %o says where it is: %s", (place, message) => {
  const error = new TableError({ errno: "ENODEV", message: "no such thing", ...place });
  expect(error).toMatchObject({ code: "BLK_TABLE", errno: "ENODEV", message, kernelLog: [] });
  expect([error.lineNumber, error.argumentNumber]).toEqual([
    "lineNumber" in place ? 3 : undefined,
    "argumentNumber" in place ? 2 : undefined,
  ]);
});
