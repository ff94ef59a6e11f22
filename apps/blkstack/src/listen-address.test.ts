import { expect, it } from "vitest";
import { isLoopback, parseListenAddress } from "./listen-address.ts";

it.each([
  ["unix:s.sock", { kind: "unix", path: "/here/s.sock" }],
  ["unix:/tmp/a:b", { kind: "unix", path: "/tmp/a:b" }],
  ["tcp:localhost:10809", { kind: "tcp", host: "localhost", port: 10809 }],
  ["tcp:0.0.0.0:0", { kind: "tcp", host: "0.0.0.0", port: 0 }],
  ["tcp:[::1]:1", { kind: "tcp", host: "::1", port: 1 }],
  ["tcp:10809", { kind: "tcp", host: "127.0.0.1", port: 10809 }],
  ["tcp::10809", { kind: "tcp", host: "127.0.0.1", port: 10809 }],
])("%s is where it says, and the loopback where it says nothing", (text, address) => {
  expect(parseListenAddress(text, "/here")).toEqual(address);
});

it.each(["", "unix:", "tcp:", "tcp:host", "tcp:::1:5", "tcp:h:70000", "tcp:h:-1", "/tmp/s"])(
  "%j is no address",
  (text) => {
    expect(() => parseListenAddress(text, "/here")).toThrow("it should be unix:PATH or tcp:HOST:");
  },
);

it("a path that no socket can have is refused before anything is made", () => {
  const path = `/${"x".repeat(107)}`;
  expect(() => parseListenAddress(`unix:${path}`, "/")).toThrow("has 108 bytes; a socket's has");
});

it.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["::1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["::ffff:10.0.0.1", false],
  ["10.0.0.127", false],
  ["127.0.0.1.example.org", false],
])("%s is the loopback: %s", (host, isIt) => {
  expect(isLoopback(host)).toBe(isIt);
});
