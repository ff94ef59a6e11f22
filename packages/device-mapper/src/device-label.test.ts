import { describe, expect, it } from "vitest";
import { ArrayDisk } from "../test/array-disk.ts";
import { deviceLabel, kernelName } from "./device-label.ts";

/** A disk that says this of itself. */
function disk(own: object): ArrayDisk {
  return Object.assign(new ArrayDisk("sda", 8), { deviceNumber: undefined }, own);
}

describe.each([
  ["tables", "deviceNumber", "8:0", deviceLabel],
  ["logs of kernels", "kernelName", "dm-3", kernelName],
] as const)("%s name a device", (_where, property, value, label) => {
  it(`by its ${property}`, () => {
    expect(label(disk({ [property]: value }))).toBe(value);
  });

  it("by its name, if it has none", () => {
    expect(label(disk({}))).toBe("sda");
  });

  it("by its name, if what is called so is something else", () => {
    expect(label(disk({ [property]: 8 }))).toBe("sda");
  });
});
