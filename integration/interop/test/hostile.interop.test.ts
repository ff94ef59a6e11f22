// Crowds, and clients that mean harm: who does none is served, and memory has a bound. What they
// cost others in time: npm run -s hostile
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Crowd, gather, type Kind } from "../src/hostile/crowd.ts";
import { probe } from "../src/hostile/probe.ts";
import { Served } from "../src/served.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
/** Of its `--memory` of 72 MiB, of what it is without clients, and of what sockets and replies take. */
const GROWS_BYTES_MAX = 220 * MIB;

const bench = new Workbench();
const socket = bench.path("nbd.sock");
let served: Served;
let filesBefore = 0;

beforeAll(async () => {
  bench.writePattern("disk.img", 64 * MIB);
  served = await Served.start(["--file", "disk.img", "--listen", `unix:${socket}`], bench.folder);
  await probe(socket, 0.1);
  filesBefore = served.openFiles().length;
});

afterAll(async () => {
  await served.stop();
  bench.clear();
});

it.each<readonly [string, readonly (readonly [Kind, number])[]]>([
  ["1000 idle and 200 active clients", [["idle", 1000] as const, ["active", 200] as const]],
  ["slow readers and slow writers", [["slow-reader", 4] as const, ["slow-writer", 4] as const]],
  [
    "half-open clients and floods of options",
    [["half-open", 300] as const, ["options", 4] as const],
  ],
  ["floods of requests that are refused", [["refused", 8] as const]],
])("beside %s one that does no harm is served, with bounded memory", async (_name, kinds) => {
  const beforeBytes = served.residentBytes();
  const crowds: Crowd[] = [];
  for (const [kind, count] of kinds) crowds.push(await gather(socket, kind, count));
  const { small, large } = await probe(socket, 1);
  expect(Math.min(small.count, large.count)).toBeGreaterThan(0);
  expect(served.residentBytes() - beforeBytes).toBeLessThan(GROWS_BYTES_MAX);
  for (const crowd of crowds) {
    expect(crowd.served.filter((count) => count > 0).length).toBe(crowd.served.length);
    crowd.leave();
  }
  await eventually(() => {
    expect(served.openFiles().length).toBeLessThanOrEqual(filesBefore);
  });
  expect(served.isRunning).toBe(true);
  expect(served.stderr.split("\n").filter((line) => /error|warning/i.test(line))).toEqual([]);
});
