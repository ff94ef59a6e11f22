import { describe, expect, it } from "vitest";
import { signatureOf } from "./signature.ts";

describe("two failures are the same for people", () => {
  it("whichever of several equal tasks and bios are in the circle, and however many", () => {
    const small = "submitter-1 -> md0-split -> bio#2 -> submitter-1";
    const large = "submitter-2 -> md0-split -> bio#5 -> submitter-3 -> md0-split -> submitter-2";
    expect(signatureOf({ kind: "DEADLOCK", message: large })).toBe(
      signatureOf({ kind: "DEADLOCK", message: small + " -> submitter-3" }),
    );
    expect(signatureOf({ kind: "STALL", message: "p1, p2, p3 cannot go on" })).toBe(
      signatureOf({ kind: "STALL", message: "p7 cannot go on" }),
    );
  });

  it("but not when another kind of thing is in the circle", () => {
    const one = { kind: "DEADLOCK", message: "alice -> A -> alice" } as const;
    expect(signatureOf(one)).not.toBe(signatureOf({ ...one, message: "alice -> B -> alice" }));
    expect(signatureOf(one)).not.toBe(signatureOf({ ...one, kind: "STALL" }));
    expect(signatureOf(null)).toBeNull();
  });
});
