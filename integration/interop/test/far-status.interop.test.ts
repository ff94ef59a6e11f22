// BLOCK_STATUS of ranges that end near 2^32, at offsets that no block begins at, through every
// target that cuts or moves ranges; and what a copy makes of a disk of which a part cannot be read.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Errno, option } from "../src/raw-protocol.ts";
import type { RawClient } from "../src/raw-client.ts";
import {
  bytes32,
  Command,
  goData,
  greet,
  Option,
  readOptionEnd,
  request,
} from "../src/raw-protocol.ts";
import { ServedStack } from "../src/served-stack.ts";
import { isMissing, run } from "../src/tools.ts";

const GIB_SECTORS = 2 ** 21;
const SIZE_SECTORS = 5 * GIB_SECTORS;
const LENGTH = 2 ** 32 - 1;
const STRUCTURED_REPLY = 8;
const SET_META_CONTEXT = 10;
const BLOCK_STATUS = 7;
const CHUNK_STATUS = 5;

const half = SIZE_SECTORS / 2;
/** One export for each. */
const DEVICES: Readonly<Record<string, string>> = {
  linear: `0 ${String(SIZE_SECTORS)} linear a 0`,
  joined: `|\n    0 ${String(half + 7)} linear a 0\n    ${String(half + 7)} ${String(half - 7)} linear b 0`,
  striped: `0 ${String(SIZE_SECTORS)} striped 2 128 a 0 b 0`,
  slow: `0 ${String(SIZE_SECTORS)} throttle a 0 tenant`,
  bounced: `0 ${String(SIZE_SECTORS)} bounce a 0`,
  cached: `0 ${String(SIZE_SECTORS)} cache a 4096 64`,
  origin: `0 ${String(SIZE_SECTORS)} snapshot-origin c`,
  snapshot: `0 ${String(SIZE_SECTORS)} snapshot c cow P 8`,
  late: `0 ${String(SIZE_SECTORS)} delay a 0 1`,
  stacked: `0 ${String(SIZE_SECTORS)} linear joined 0`,
};
const STACK = [
  "disks:",
  ...["a", "b", "c"].map((name) => `  ${name}: { file: ./${name}.img, size: 5GiB, create: true }`),
  "  cow: { file: ./cow.img, size: 16MiB, create: true }",
  "  small: { file: ./small.img, size: 4MiB, create: true }",
  "groups:",
  '  tenant: "rbps=1000000000"',
  "devices:",
  ...Object.entries(DEVICES).map(([name, table]) => `  ${name}: ${table}`),
  "  torn: |",
  "    0 4000 linear small 0",
  "    4000 8 error",
  "    4008 4184 linear small 4008",
  "exports:",
  ...[...Object.keys(DEVICES), "torn"].map((name) => `  ${name}: { device: ${name} }`),
  "",
].join("\n");

const stack = new ServedStack();

beforeAll(async () => {
  await stack.serve(STACK);
});

afterAll(async () => {
  await stack.clear();
});

/** Chooses an export, with structured replies and base:allocation. */
async function chooseWithStatus(name: string): Promise<RawClient> {
  const client = await greet(stack.socket);
  const context = Buffer.from("base:allocation");
  const set = [
    bytes32(name.length),
    Buffer.from(name),
    bytes32(1),
    bytes32(context.length),
    context,
  ];
  for (const each of [
    option(STRUCTURED_REPLY),
    option(SET_META_CONTEXT, Buffer.concat(set)),
    option(Option.Go, goData(name)),
  ]) {
    client.send(each);
    expect((await readOptionEnd(client)).type).toBe(1);
  }
  return client;
}

/** The lengths that one BLOCK_STATUS is answered with. */
async function lengthsOf(client: RawClient, offset: number): Promise<number[]> {
  client.send(request({ command: BLOCK_STATUS, offset, length: LENGTH }));
  const head = await client.read(20);
  expect([head.readUInt32BE(0), head.readUInt16BE(6)]).toEqual([0x668e_33ef, CHUNK_STATUS]);
  const body = await client.read(head.readUInt32BE(16));
  return Array.from({ length: (body.length - 4) / 8 }, (_, n) => body.readUInt32BE(4 + n * 8));
}

describe("block status of nearly 2^32 bytes", () => {
  it.each(Object.keys(DEVICES))("through %s tells of something at any offset", async (name) => {
    const client = await chooseWithStatus(name);
    const end = SIZE_SECTORS * 512 - LENGTH;
    for (const offset of [0, 1, 2, 511, 512, 4095, 65_535, half - 1, end - 1, end]) {
      const lengths = await lengthsOf(client, offset);
      const sum = lengths.reduce((total, length) => total + length, 0);
      expect(Math.min(...lengths), `at ${String(offset)}`).toBeGreaterThan(0);
      expect(sum, `at ${String(offset)}`).toBeLessThanOrEqual(LENGTH);
    }
    client.send(request({ command: Command.Read, offset: end, length: 1 }));
    expect((await client.read(20)).readUInt16BE(6)).toBeLessThan(0x8000);
    client.vanish();
  });
});

describe("a disk of which a part cannot be read", () => {
  it("answers that part alone with EIO", async () => {
    const client = await stack.open("torn");
    const reads = Array.from({ length: 1024 }, (_, n) => client.read(n * 4096, 4096));
    const failed = (await Promise.all(reads)).flatMap((answer, n) =>
      answer?.errno === Errno.Ok ? [] : [[n, answer?.errno]],
    );
    expect(failed).toEqual([[500, 5]]);
    client.close();
  });

  it.skipIf(isMissing("nbdcopy", "qemu-img"))("is copied by nobody who says so", async () => {
    const uri = stack.uriOf("torn");
    const out = stack.bench.path("out.raw");
    expect((await run("nbdcopy", [uri, out])).status).not.toBe(0);
    const convert = ["convert", "-f", "raw", "-O", "raw", uri, out];
    expect((await run("qemu-img", convert)).status).not.toBe(0);
  });
});
