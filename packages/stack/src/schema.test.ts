import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { STACK_SCHEMA } from "./index.ts";

it("the published schema is the one that stack files are checked with", async () => {
  const published = await readFile(new URL("../schema/stack.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(published)).toEqual(STACK_SCHEMA);
});
