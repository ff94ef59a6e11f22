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
    ["nbds://localhost/", { host: "localhost", port: 10_809, exportName: "", tls: {} }],
    [
      "nbds://alice@[::1]:1/d?tls-psk-file=/k%20.psk",
      { host: "::1", port: 1, exportName: "d", tls: { user: "alice", pskFile: "/k .psk" } },
    ],
    [
      "nbds+unix:///d?tls-certificates=pki&socket=/s&tls-hostname=a.b&tls-verify-peer=false",
      {
        unix: "/s",
        exportName: "d",
        tls: { certificates: "pki", hostname: "a.b", isPeerVerified: false },
      },
    ],
  ])("%s says where to go", (text, address) => {
    expect(parseNbdUri(text)).toEqual(address);
  });

  it.each([
    "http://localhost/",
    "nbd+unix:///disk",
    "nbd://localhost/?socket=/tmp/s",
    "nbd://localhost:99999/",
    "nbd://localhost/%",
    "nbd://localhost/#part",
    "nbd://alice@localhost/",
    "nbd://localhost/?tls-certificates=pki",
    "nbds://localhost/?tls-verify-peer=perhaps",
  ])("%s is refused", (text) => {
    expect(() => parseNbdUri(text)).toThrow(/is no NBD URI/);
  });

  it("comes back as it was written", () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).filter((name) => !name.includes("\0"));
    const tls = fc.record(
      {
        user: text,
        certificates: text,
        pskFile: text,
        hostname: text,
        isPeerVerified: fc.constant(false),
      },
      { requiredKeys: [] },
    );
    const maybe = fc
      .option(tls.map((fields) => ({ tls: { ...fields } })))
      .map((some) => some ?? {});
    fc.assert(
      fc.property(text, text, maybe, (unix, exportName, secure) => {
        const address = { unix, exportName, ...secure };
        expect(parseNbdUri(formatNbdUri(address))).toEqual(address);
      }),
    );
    const host = fc.constantFrom("localhost", "10.0.0.1", "::1", "example.org");
    fc.assert(
      fc.property(
        host,
        fc.integer({ min: 1, max: 65_535 }),
        text,
        maybe,
        (name, port, exportName, secure) => {
          const address = { host: name, port, exportName, ...secure };
          expect(parseNbdUri(formatNbdUri(address))).toEqual(address);
        },
      ),
    );
  });
});
