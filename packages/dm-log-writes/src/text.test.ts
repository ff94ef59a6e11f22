import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesOfText, textOfBytes } from "./text.ts";

it("text comes back as it was, as the bytes that everybody else makes of it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect([...bytesOfText(text)]).toEqual([...new TextEncoder().encode(text)]);
      expect(textOfBytes(bytesOfText(text))).toBe(text);
    }),
  );
});

it("half a character, and bytes that are no text, are told as well as they can be", () => {
  expect(textOfBytes(bytesOfText("a\ud800b"))).toBe("a\ufffdb");
  expect(textOfBytes(Uint8Array.of(0x61, 0xff, 0x62))).toBe("aÿb");
});
