import fc from "fast-check";
import { expect, it } from "vitest";
import { formatSize, parseSize } from "./index.ts";

it.each([
  ["4096", 4096],
  ["512B", 512],
  ["1kB", 1000],
  ["1KiB", 1024],
  ["64MiB", 64 * 2 ** 20],
  ["64 MiB", 64 * 2 ** 20],
  ["64M", 64 * 2 ** 20],
  ["1GB", 1_000_000_000],
  ["2TiB", 2 ** 41],
])("%s is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(["", "MiB", "64Mib", "-1", "1.5GiB", "0x10", "1 2", "10PiB", "9007199254740993", "1e3"])(
  "%j is no size",
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);

it("a formatted size is read back as the same number of bytes", () => {
  const bytes = fc.oneof(
    fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    fc.tuple(fc.nat({ max: 1000 }), fc.constantFrom(10, 20, 30, 40)).map(([n, e]) => n * 2 ** e),
  );
  fc.assert(
    fc.property(bytes, (size) => {
      expect(parseSize(formatSize(size))).toBe(size);
    }),
  );
});
