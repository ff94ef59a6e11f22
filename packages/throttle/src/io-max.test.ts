import { describe, expect, it } from "vitest";
import { formatIoMax, parseIoMax, parseLimits } from "./io-max.ts";
import { type GroupLimits, NO_LIMITS } from "./limits.ts";

const none = (): GroupLimits => NO_LIMITS;

function lineAfter(...lines: string[]): string {
  let limits = NO_LIMITS;
  for (const line of lines) limits = parseIoMax(line, () => limits).limits;
  return formatIoMax("8:16", limits);
}

it("a limit that is not named keeps its value, and max takes one away", () => {
  expect(lineAfter("8:16 rbps=2097152 wiops=120")).toBe(
    "8:16 rbps=2097152 wbps=max riops=max wiops=120",
  );
  expect(lineAfter("8:16 rbps=2097152 wiops=120", "8:16 wiops=max")).toBe(
    "8:16 rbps=2097152 wbps=max riops=max wiops=max",
  );
  expect(lineAfter("8:16 riops=50", "8:16 riops=max")).toBe("");
});

it("a device without limits named changes nothing, and the last of two values holds", () => {
  expect(lineAfter("8:16 rbps=5", "8:16")).toBe("8:16 rbps=5 wbps=max riops=max wiops=max");
  expect(lineAfter("8:16 rbps=5 rbps=6")).toContain("rbps=6");
});

it("more than 32 bits of operations are no limit", () => {
  expect(lineAfter("8:16 riops=5000000000")).toBe("");
});

describe.each([
  ["8:16 rbps=0", "ERANGE"],
  ["8:16 rbps=1", "EINVAL"],
  ["8:16 rbps=1M", "EINVAL"],
  ["8:16 rbps=-1", "EINVAL"],
  ["8:16 foo=1", "EINVAL"],
  ["8:16 rbps", "EINVAL"],
  ["8:16rbps=5", "EINVAL"],
  ["sda rbps=5", "EINVAL"],
])("%s", (line, errno) => {
  it(`is refused with ${errno}`, () => {
    expect(() => parseIoMax(line, none)).toThrow(expect.objectContaining({ errno }));
  });
});

it("a number that no disk has is refused with ENODEV", () => {
  expect(() => parseIoMax("8:17 rbps=5", () => undefined)).toThrow(
    expect.objectContaining({ errno: "ENODEV", message: "no disk has the number 8:17" }),
  );
});

it("one mistake, and nothing is changed", () => {
  const before = parseLimits("rbps=7", NO_LIMITS);
  expect(() => parseLimits("rbps=9 foo=1", before)).toThrow('"foo=1" is no limit');
  expect(before.rbps).toBe(7);
});
