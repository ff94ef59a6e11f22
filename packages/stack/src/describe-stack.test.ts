import fc from "fast-check";
import { expect, it } from "vitest";
import { describeStack, parseStack } from "./index.ts";

const name = fc
  .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
  .filter((text) => !/[/\p{Cc}\p{Cs}\u2028\u2029\ufeff]/u.test(text));
const sizeBytes = fc.integer({ min: 1, max: 2 ** 40 }).map((sectors) => sectors * 512);
const disk = fc.oneof(
  fc.record({ kind: fc.constant("ram" as const), sizeBytes, isReadOnly: fc.boolean() }),
  fc.record({
    kind: fc.constant("file" as const),
    path: fc.string({ minLength: 1 }),
    create: fc.constant(false),
    isReadOnly: fc.boolean(),
  }),
  fc.record(
    {
      kind: fc.constant("nbd" as const),
      uri: fc.string({ minLength: 1 }),
      sizeBytes,
      connections: fc.integer({ min: 1, max: 16 }),
      reconnect: fc.constantFrom("fail" as const, "reissue" as const),
      writesThrough: fc.boolean(),
      isReadOnly: fc.boolean(),
    },
    { requiredKeys: ["kind", "uri", "isReadOnly"] },
  ),
  fc.record({
    kind: fc.constant("nbd" as const),
    uri: fc.constant("nbd://host/name"),
    reconnect: fc.constant("fail" as const),
    reconnectMs: fc.integer({ min: 1, max: 1_000_000 }).map((seconds) => seconds * 1000),
    answerMs: fc.integer({ min: 1, max: 1_000_000 }).map((seconds) => seconds * 1000),
    isReadOnly: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("loop" as const),
    path: fc.string({ minLength: 1 }),
    offsetBytes: fc.nat(),
    sizeBytes,
    create: fc.boolean(),
    isReadOnly: fc.constant(false),
  }),
  fc.record({
    kind: fc.constant("file" as const),
    path: fc.string({ minLength: 1 }),
    sizeBytes,
    create: fc.boolean(),
    isReadOnly: fc.constant(false),
  }),
);
const perSecond = fc.integer({ min: 2 });
const group = fc.record(
  {
    rbps: perSecond,
    wbps: perSecond,
    riops: perSecond,
    wiops: perSecond,
    burstMs: fc.nat({ max: 999_999_999 }),
    weight: fc.integer({ min: 10, max: 1000 }),
  },
  { requiredKeys: [] },
);
const table = fc
  .array(fc.constantFrom("0 8 zero", "8 8 error", "  16 8 linear here\\ it\\ is 0", "# said", ""))
  .map((lines) => ["0 8 zero", ...lines].join("\n"));

const description = fc
  .record({
    diskNames: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    disks: fc.array(disk, { minLength: 4, maxLength: 4 }),
    groups: fc.dictionary(name, group),
    devices: fc.dictionary(
      name.map((text) => `dm-${text}`),
      table,
    ),
    exportNames: fc.uniqueArray(name, { maxLength: 3 }),
    offered: fc.record(
      {
        isReadOnly: fc.boolean(),
        description: fc.string(),
        keepsBlockSize: fc.constant(true),
      },
      { requiredKeys: [] },
    ),
    hasDefault: fc.boolean(),
    targets: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
  })
  .map(({ diskNames, disks, exportNames, offered, hasDefault, ...rest }) => ({
    disks: new Map(diskNames.map((key, index) => [key, disks[index] ?? fail()])),
    targets: rest.targets,
    groups: new Map(Object.entries(rest.groups)),
    devices: new Map(Object.entries(rest.devices).filter(([key]) => !diskNames.includes(key))),
    exports: new Map(
      exportNames.map((key, index) => [
        key,
        { device: diskNames[0] ?? "", ...offered, isDefault: hasDefault && index === 0 },
      ]),
    ),
  }));

it("what is described is read back as the same", () => {
  fc.assert(
    fc.property(description, (stack) => {
      const { source, ...read } = parseStack(describeStack(stack), "again.yaml");
      expect(source.fileName).toBe("again.yaml");
      expect(read).toEqual(stack);
    }),
  );
});

it("a description leaves out what is empty or usual", () => {
  const text = [
    "disks:",
    "  base:",
    "    file: ./base.img",
    "  fast:",
    "    ram: 128MiB",
    "devices:",
    "  md: |",
    "    0 8 linear base 0",
    "    8 8 zero",
    "exports:",
    "  md:",
    "    device: md",
    "",
  ].join("\n");
  expect(describeStack(parseStack(text, "s.yaml"))).toBe(text);
});

function fail(): never {
  throw new Error("there are as many disks as names");
}
