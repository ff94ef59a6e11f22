import fc from "fast-check";
import { expect, it } from "vitest";
import { parseStack, StackError } from "./index.ts";

const EVERYTHING = `# a tenant's disk
disks:
  base: { file: ./base.img }
  cow: { file: ./cow.img, size: 64MiB, create: true }
  fast: { ram: 128MiB }
  old: { file: old.img, readOnly: true }
groups:
  tenant-a: "rbps=10485760 wiops=500 riops=max"
devices:
  md: |
    0 204800 linear base 0
    204800 100 linear fast 8
  over: 0 100 linear md 0
exports:
  md: { device: md, description: two disks in one }
  over: { device: over, readOnly: true, default: true }
  raw: { device: base, readOnly: false, group: tenant-a }
`;

it("a stack file becomes disks, groups, devices and exports", () => {
  const { disks, groups, devices, exports } = parseStack(EVERYTHING, "all.yaml");
  expect(Object.fromEntries(disks)).toEqual({
    base: { kind: "file", path: "./base.img", create: false, isReadOnly: false },
    cow: {
      kind: "file",
      path: "./cow.img",
      sizeBytes: 64 * 2 ** 20,
      create: true,
      isReadOnly: false,
    },
    fast: { kind: "ram", sizeBytes: 128 * 2 ** 20, isReadOnly: false },
    old: { kind: "file", path: "old.img", create: false, isReadOnly: true },
  });
  expect(Object.fromEntries(groups)).toEqual({ "tenant-a": { rbps: 10485760, wiops: 500 } });
  expect(Object.fromEntries(devices)).toEqual({
    md: "0 204800 linear base 0\n204800 100 linear fast 8\n",
    over: "0 100 linear md 0",
  });
  expect(Object.fromEntries(exports)).toEqual({
    md: { device: "md", description: "two disks in one", isDefault: false },
    over: { device: "over", isReadOnly: true, isDefault: true },
    raw: { device: "base", isReadOnly: false, group: "tenant-a", isDefault: false },
  });
});

it("exports are called as their clients call them", () => {
  const names = ["", "/", "vm/disk 1", "50%", "リソース", "x".repeat(4096)];
  const exports = Object.fromEntries(names.map((name) => [name, { device: "a" }]));
  const text = JSON.stringify({ disks: { a: { ram: "1MiB" } }, exports });
  expect([...parseStack(text, "s.json").exports.keys()]).toEqual(names);
});

it("whatever the text, the answer is a description or a one-line StackError", () => {
  const words = fc.constantFrom(
    ...'disks: |devices:|exports:|groups:| base:| { file: x }|\n|  |: |- |0 8 linear base 0|\t|[|}|&a |*a |"|null|1e400|<<|!!js |%'.split(
      "|",
    ),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
      expect(complaint(parts.join(""))).toMatch(/^$|^s\.yaml:\d+:\d+: [^\n]+$/);
    }),
    { numRuns: 2000 },
  );
});

/** The message of the complaint, or nothing. */
function complaint(text: string): string {
  try {
    parseStack(text, "s.yaml");
    return "";
  } catch (error) {
    if (error instanceof StackError) return error.message;
    throw error;
  }
}
