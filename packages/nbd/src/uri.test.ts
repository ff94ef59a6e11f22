import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNbdUri, parseNbdUri } from "./uri.ts";

describe("an NBD URI", () => {
  it.each([
    ["nbd://localhost/", { host: "localhost", port: 10_809, exportName: "" }],
    ["nbd://example.org:80/disk", { host: "example.org", port: 80, exportName: "disk" }],
    ["nbd://[::1]:10900/a%20b", { host: "::1", port: 10_900, exportName: "a b" }],
    ["nbd://127.0.0.1", { host: "127.0.0.1", port: 10_809, exportName: "" }],
    ["nbd:///", { host: "localhost", port: 10_809, exportName: "" }],
    ["nbd+unix:///?socket=/tmp/s", { unix: "/tmp/s", exportName: "" }],
    ["nbd+unix:///disk?socket=/tmp/a+b%3F", { unix: "/tmp/a+b?", exportName: "disk" }],
  ])("%s says where to go", (text, address) => {
    expect(parseNbdUri(text)).toEqual(address);
  });

  it.each([
    "http://localhost/",
    "nbd+unix:///disk",
    "nbd://localhost/?socket=/tmp/s",
    "nbd://localhost:99999/",
    "nbd://localhost/%",
    "nbds://localhost/",
  ])("%s is refused", (text) => {
    expect(() => parseNbdUri(text)).toThrow(/is no NBD URI/);
  });

  it("comes back as it was written", () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).filter((name) => !name.includes("\0"));
    fc.assert(
      fc.property(text, text, (unix, exportName) => {
        const address = { unix, exportName };
        expect(parseNbdUri(formatNbdUri(address))).toEqual(address);
      }),
    );
    const host = fc.constantFrom("localhost", "10.0.0.1", "::1", "example.org");
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), text, (name, port, exportName) => {
        const address = { host: name, port, exportName };
        expect(parseNbdUri(formatNbdUri(address))).toEqual(address);
      }),
    );
  });
});
