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

/** What a kernel, 6.1, was seen to answer to these lines one after the other, and to show then. */
const RECORDED: readonly [line: string, errno: string | null, shown: string][] = [
  ["254:0 rbps=1048576", null, "rbps=1048576 wbps=max riops=max wiops=max"],
  ["254:0 wbps=2097152 riops=max", null, "rbps=1048576 wbps=2097152 riops=max wiops=max"],
  ["254:0 rbps=max wbps=max riops=50 wiops=20", null, "rbps=max wbps=max riops=50 wiops=20"],
  ["254:0 riops=max wiops=max", null, ""],
  ["254:0 rbps=0", "ERANGE", ""],
  ["254:0 rbps=1", "EINVAL", ""],
  ["254:0 rbps=1M", "EINVAL", ""],
  ["254:0 rbps=-1", "EINVAL", ""],
  ["254:0 foo=1", "EINVAL", ""],
  ["254:1 rbps=100", "ENODEV", ""],
  ["1:1 rbps=5", "ENODEV", ""],
  ["vda rbps=5", "EINVAL", ""],
  ["254:0", null, ""],
  ["254:0 riops=5000000000", null, ""],
  ["254:0 rbps=max riops=max", null, ""],
];

it("answers each line as a kernel was seen to, which refuses a limit of 1", () => {
  let limits = NO_LIMITS;
  for (const [line, errno, shown] of RECORDED) {
    const parse = (): void => {
      const known = (major: number, minor: number): GroupLimits | undefined =>
        major === 254 && minor === 0 ? limits : undefined;
      limits = parseIoMax(line, known).limits;
    };
    if (errno === null) parse();
    else expect(parse, line).toThrow(expect.objectContaining({ errno }));
    expect([line, formatIoMax("254:0", limits)]).toEqual([
      line,
      shown === "" ? "" : `254:0 ${shown}`,
    ]);
  }
});

it("takes what 64 bits cannot hold for no limit, where a kernel is left with what they can", () => {
  expect(lineAfter("8:16 rbps=5", "8:16 rbps=99999999999999999999")).toBe("");
});
