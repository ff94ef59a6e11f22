import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { fio, type Workload } from "./fio.ts";
import { makeImage } from "./image.ts";
import { medianOf, type Rate, rateOf } from "./rate.ts";
import { BLKSTACK, serve, type Served } from "./served.ts";

const IMAGE_MIB = 256;
const SECTORS = IMAGE_MIB * 2048;

const FILL: Workload = { name: "fill", mode: "write", blockSize: "256k", depth: 8 };
const WRITES: Workload = { name: "randwrite-4k-32", mode: "randwrite", blockSize: "4k", depth: 32 };

/** Somebody who serves changes to an image without changing it. */
interface Contender {
  readonly name: string;
  /** Makes what it needs beside the image, and answers the command that serves it. */
  prepare(folder: string, socket: string): string[];
}

const CONTENDERS: readonly Contender[] = [
  { name: "blkstack", prepare: prepareOurs("") },
  { name: "write_behind", prepare: prepareOurs(" 1 write_behind") },
  { name: "nbdkit cow", prepare: prepareNbdkit },
  { name: "qcow2", prepare: prepareQcow2 },
];
const OURS = 2;

/**
 * Random writes to a snapshot of a file, in which nothing was written yet, and again where all was
 * copied: ours, safe and behind, nbdkit's cow filter and a qcow2 overlay, in turn.
 */
export async function benchSnapshots(rounds: number, seconds: number): Promise<void> {
  const fresh = new Map<string, Rate[]>();
  const copied = new Map<string, Rate[]>();
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? CONTENDERS : [...CONTENDERS].reverse();
    for (const contender of order) {
      const sample = await measure(contender, seconds);
      note(fresh, contender.name, sample.fresh);
      note(copied, contender.name, sample.copied);
    }
  }
  const table = new Table({
    head: [
      "4k random writes, depth 32",
      ...CONTENDERS.map(({ name }) => name),
      "ratios to the better peer",
      "µs of CPU per request",
    ],
  });
  table.push(row("to a fresh snapshot", fresh), row("to copied chunks", copied));
  console.log(table.toString());
}

async function measure(
  contender: Contender,
  seconds: number,
): Promise<{ readonly fresh: Rate; readonly copied: Rate }> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  let served: Served | null = null;
  try {
    makeImage(join(folder, "base.img"), IMAGE_MIB);
    const socket = join(folder, "nbd.sock");
    served = await serve(contender.name, socket, contender.prepare(folder, socket));
    const size = `${String(IMAGE_MIB)}m`;
    const fresh = await rateOf(served, WRITES, { seconds, size });
    await fio(socket, FILL, 0, size);
    return { fresh, copied: await rateOf(served, WRITES, { seconds, size }) };
  } finally {
    served?.process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A snapshot with these features, as a table has them. */
function prepareOurs(features: string): Contender["prepare"] {
  return (folder, socket) => serveSnapshot(folder, socket, features);
}

function serveSnapshot(folder: string, socket: string, features: string): string[] {
  const stack = join(folder, "stack.yaml");
  const lines = [
    "disks:",
    "  base: { file: ./base.img }",
    `  cow: { file: ./cow.img, size: ${String(2 * IMAGE_MIB)}MiB, create: true }`,
    "devices:",
    `  snap: 0 ${String(SECTORS)} snapshot base cow P 8${features}`,
    "exports:",
    '  "": { device: snap }',
  ];
  writeFileSync(stack, `${lines.join("\n")}\n`);
  return [BLKSTACK, "serve", stack, "--listen", `unix:${socket}`];
}

function prepareNbdkit(folder: string, socket: string): string[] {
  return ["nbdkit", "-f", "-U", socket, "--filter=cow", "file", join(folder, "base.img")];
}

function prepareQcow2(folder: string, socket: string): string[] {
  const overlay = join(folder, "overlay.qcow2");
  const base = join(folder, "base.img");
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", overlay]);
  return ["qemu-nbd", "-f", "qcow2", "-k", socket, "--persistent", "--shared=4", overlay];
}

function note(samples: Map<string, Rate[]>, name: string, value: Rate): void {
  samples.set(name, [...(samples.get(name) ?? []), value]);
}

function row(what: string, samples: Map<string, Rate[]>): string[] {
  const medians = (figure: keyof Rate): number[] =>
    CONTENDERS.map(({ name }) => medianOf(samples.get(name) ?? [], figure));
  const rates = medians("requestsPerSecond");
  const better = Math.max(...rates.slice(OURS));
  const ratios = rates.slice(0, OURS).map((ours) => (ours / better).toFixed(2));
  const costs = medians("cpuMicrosPerRequest").map((micros) => micros.toFixed(1));
  return [what, ...rates.map((rate) => rate.toFixed(0)), ratios.join(" / "), costs.join(" / ")];
}
