import { describe, expect, it } from "vitest";
import { collectLimit } from "./limit-option.ts";

describe("--limit", () => {
  it.each([
    ["connections=5", { connectionsMax: 5 }],
    ["connections-per-peer=1", { connectionsPerPeerMax: 1 }],
    ["bytes-in-flight=8MiB", { bytesInFlightMax: 8 * 2 ** 20 }],
    ["idle=5min", { idleMs: 300_000 }],
    ["handshake=250ms", { handshakeMs: 250 }],
    ["stop=2h", { closeMs: 7_200_000 }],
  ])("%s is understood", (text, limits) => {
    expect(collectLimit(text)).toEqual(limits);
  });

  it("is collected", () => {
    const both = collectLimit("idle=1s", collectLimit("connections=2"));
    expect(both).toEqual({ connectionsMax: 2, idleMs: 1000 });
  });

  it.each([
    ["conections=5", /no limit "conections"; it should be one of connections, connections-per-/],
    ["idle", /^--limit idle: idle is a time from 1ms to 1000000s, as in idle=90s$/],
    ["idle=5", /idle is a time from 1ms to 1000000s/],
    ["idle=0s", /idle is a time from 1ms/],
    ["idle=1000001s", /idle is a time from 1ms to 1000000s/],
    ["connections=0", /connections is a whole number from 1 to 100000, as in connections=16$/],
    ["connections=-1", /connections is a whole number from 1/],
    ["connections=1e3", /connections is a whole number from 1/],
    ["bytes-in-flight=1KiB", /is a size from 4KiB to 1GiB, as in bytes-in-flight=8MiB$/],
    ["bytes-in-flight=lots", /is a size from 4KiB to 1GiB/],
  ])("%s is refused, with what would be right", (text, complaint) => {
    expect(() => collectLimit(text)).toThrow(complaint);
  });

  it("is given once each", () => {
    expect(() => collectLimit("idle=2s", { idleMs: 1000 })).toThrow(
      '--limit idle=2s: the limit "idle" is given twice; give it once',
    );
  });
});
