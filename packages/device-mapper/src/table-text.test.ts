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

it("a count beyond what a number can hold stays exact", () => {
  expect(parseTable("0 18014398509481983 zero")[0]?.length).toBe(18014398509481983n);
});

it("a negative count wraps around, and one of too many digits is the most there is", () => {
  expect(parseTable("0 -5 zero")[0]?.length).toBe(2n ** 64n - 5n);
  expect(parseTable("0 99999999999999999999 zero")[0]?.length).toBe(2n ** 64n - 1n);
});

describe("a line of another form is refused with its number", () => {
  it.each(["garbage", "0 10", "0 ten linear a 0", "x 10 linear", "0 0x10 linear"])("%s", (line) => {
    const error = refusal(`0 1 zero\n${line}`);
    expect(error).toMatchObject({ code: "BLK_TABLE", errno: "EINVAL", lineNumber: 2 });
    expect(error.message).toContain("table line 2: invalid format");
  });
});

it("a backslash takes the next character as it is", () => {
  expect(splitWords(String.raw`a\ b c\\d e`)).toEqual(["a b", String.raw`c\d`, "e"]);
  expect(splitWords("a\\")).toEqual(["a\\"]);
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
