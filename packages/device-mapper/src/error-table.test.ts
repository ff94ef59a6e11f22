import { expect, it } from "vitest";
import { ERROR_TYPES, errorTableText } from "./error-table.ts";

it("a table in which everything fails has one line, of a type that its registry has", () => {
  expect(errorTableText(16)).toBe("0 16 error");
  expect(ERROR_TYPES.versions).toEqual(["error 1.0.0"]);
});
