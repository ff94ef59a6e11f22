import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TableError } from "./table-error.ts";
import { parseTable, splitWords } from "./table-text.ts";

function refusal(text: string): TableError {
  try {
    parseTable(text);
  } catch (error) {
    if (error instanceof TableError) return error;
  }
  throw new Error("the table was taken");
}

it("comments, blank lines and extra blanks mean nothing, but lines are counted with them", () => {
  const text = "# the data\n\n  0   10   linear   a   0  # first\n10 5 zero\n";
  expect(parseTable(text)).toEqual([
    { lineNumber: 3, begin: 0n, length: 10n, type: "linear", args: ["a", "0"] },
    { lineNumber: 4, begin: 10n, length: 5n, type: "zero", args: [] },
  ]);
  expect(parseTable("")).toEqual([]);
});

it("a comment goes on to the end of its line, whatever else another system ends lines with", () => {
  expect(parseTable("0 8 zero # one\r8 8 zero\r\n8 8 error")).toEqual([
    { lineNumber: 1, begin: 0n, length: 8n, type: "zero", args: [] },
    { lineNumber: 2, begin: 8n, length: 8n, type: "error", args: [] },
  ]);
});

it("a count beyond what a number can hold stays exact", () => {
  expect(parseTable("0 18014398509481983 zero")[0]?.length).toBe(18014398509481983n);
});

it.each([
  ["+5", 5n],
  ["-5", 2n ** 64n - 5n],
  ["18446744073709551614", 2n ** 64n - 2n],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["-18446744073709551615", 1n],
  ["18446744073709551616", 2n ** 64n - 1n],
  ["-18446744073709551616", 2n ** 64n - 1n],
])("%s sectors are read as the C library reads them", (written, count) => {
  expect(parseTable(`${written} ${written} z`)).toEqual([
    { lineNumber: 1, begin: count, length: count, type: "z", args: [] },
  ]);
});

describe("a line of another form is refused with its number", () => {
  it.each([
    "garbage",
    "0 10",
    "0 10linear",
    "0 ten linear a 0",
    "x 10 linear",
    "x 0 10 linear",
    "x0 10 linear",
    "010 linear",
    "0 0x10 linear",
    "0 10 zero\r10 10 zero",
  ])("%j", (line) => {
    const error = refusal(`0 1 zero\n${line}`);
    expect(error).toMatchObject({ code: "BLK_TABLE", errno: "EINVAL", lineNumber: 2 });
    expect(error.message).toBe(
      `table line 2: invalid format: "${line}" is not BEGIN LENGTH TYPE [ARGUMENT…]`,
    );
  });
});

it("a backslash takes the next character as it is", () => {
  expect(splitWords(String.raw`a\ b c\\d e`)).toEqual(["a b", String.raw`c\d`, "e"]);
  expect(splitWords("a\\")).toEqual(["a\\"]);
  expect(splitWords("a\\\n\\💾 b")).toEqual(["a\n💾", "b"]);
  expect(splitWords("  ")).toEqual([]);
});

it("words that were quoted come back as they were", () => {
  const word = fc.string({ minLength: 1 }).filter((text) => !/[\n\r#\u2028\u2029]/.test(text));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const quoted = words.map((text) => text.replace(/[\s\\]/gu, String.raw`\$&`));
      expect(splitWords(quoted.join("  "))).toEqual(words);
    }),
  );
});
