import { expect, it } from "vitest";
import { failing } from "../test/test-targets.ts";
import { TargetRegistry } from "./registry.ts";

it("a type of another contract is refused before tables can name it", () => {
  const registry = new TargetRegistry([failing]);
  expect(() => {
    registry.register({ ...failing, name: "old", apiVersion: 0 });
  }).toThrow('"old" speaks version 0');
  expect(registry.get("old")).toBeUndefined();
});

it("a second type of a name is refused, and the first stays", () => {
  const registry = new TargetRegistry([failing]);
  let refusal: unknown = null;
  try {
    registry.register({ ...failing, version: [2, 0, 0] });
  } catch (error) {
    refusal = error;
  }
  const message = 'there already is a target type "failing"';
  expect(refusal).toMatchObject({ code: "BLK_STATE", errno: "EEXIST", message });
  expect(registry.get("failing")).toBe(failing);
});

it("types are listed with their versions, in order of registration; case makes another", () => {
  const registry = new TargetRegistry();
  expect(registry.versions).toEqual([]);
  registry.register({ ...failing, name: "zero", version: [1, 2, 3] });
  registry.register(failing);
  registry.register({ ...failing, name: "Zero" });
  expect(registry.versions).toEqual(["zero 1.2.3", "failing 1.0.0", "Zero 1.0.0"]);
});
