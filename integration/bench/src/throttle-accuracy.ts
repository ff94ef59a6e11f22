import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completionsOf } from "./fio-log.ts";
import { makeImage } from "./image.ts";
import { median } from "./median.ts";
import { BLKSTACK, serve, type Served } from "./served.ts";

const IMAGE_MIB = 64;
const MIB = 1 << 20;
/** What is done in the first second is left out: a burst may be in it. */
const SETTLING_SECONDS = 1;

interface Limit {
  readonly name: string;
  /** Bytes or requests in each direction. */
  readonly unit: "bytes" | "requests";
  readonly perSecond: number;
  readonly blockBytes: number;
  readonly depth: number;
}

const LIMITS: readonly Limit[] = [
  { name: "1 MiB/s", unit: "bytes", perSecond: MIB, blockBytes: 16_384, depth: 8 },
  { name: "20 MiB/s", unit: "bytes", perSecond: 20 * MIB, blockBytes: 65_536, depth: 8 },
  { name: "100 iops", unit: "requests", perSecond: 100, blockBytes: 4096, depth: 32 },
  { name: "5000 iops", unit: "requests", perSecond: 5000, blockBytes: 4096, depth: 128 },
];

/** Each direction has its own limit, and a job of its own that asks for more. */
const DIRECTIONS = [
  { name: "reads", modes: ["randread"] },
  { name: "writes", modes: ["randwrite"] },
  { name: "mixed", modes: ["randread", "randwrite"] },
] as const;

/** Groups of ours: without and with a burst. */
const OURS = [
  { name: "blkstack", words: "" },
  { name: "burst=500ms", words: " burst=500ms" },
] as const;

/** Somebody else who keeps to limits over NBD. */
interface Peer {
  readonly name: string;
  /** Whether it has such limits. */
  readonly keeps: (limit: Limit) => boolean;
  readonly command: (limit: Limit, image: string, socket: string) => string[];
}

const PEERS: readonly Peer[] = [
  {
    name: "nbdkit rate",
    keeps: ({ unit }) => unit === "bytes",
    command: ({ perSecond }, image, socket) => {
      const rate = `rate=${String(perSecond * 8)}`;
      return ["nbdkit", "-f", "-U", socket, "--filter=rate", "file", image, rate];
    },
  },
  {
    name: "qemu throttle",
    keeps: () => true,
    command: ({ unit, perSecond }, image, socket) => {
      const key = unit === "bytes" ? "bps" : "iops";
      const limits = ["read", "write"].map((way) => `x-${key}-${way}=${String(perSecond)}`);
      const file = `file.driver=raw,file.file.driver=file,file.file.filename=${image}`;
      return [
        ...["qemu-nbd", "-t", "-e", "8", "-k", socket],
        ...["--object", ["throttle-group", "id=group", ...limits].join()],
        ...["--image-opts", `driver=throttle,throttle-group=group,${file}`],
      ];
    },
  },
];

/** All who keep to limits, ours first. */
export const CONTENDERS: readonly string[] = [...OURS, ...PEERS].map(({ name }) => name);

/** What came of one limit in one direction. */
export interface AccuracyCell {
  readonly limit: string;
  readonly direction: string;
  readonly contenders: readonly Deviation[];
}

/** By how much what was done differs from what the limit says, in percent of that. */
interface Deviation {
  readonly name: string;
  /** Over all seconds but the first, median of the rounds; of two directions the worse one. */
  readonly percent: number;
  /** Of the second, after the first one, that was furthest off, in any round. */
  readonly worstSecondPercent: number;
}

/** Where somebody's disk with a limit can be had. */
interface Place {
  readonly name: string;
  readonly uri: string;
}

/** All who keep to limits in turn, under the same load; one cell after the other. */
export async function throttleAccuracy(
  rounds: number,
  seconds: number,
  isWanted: (name: string) => boolean,
): Promise<AccuracyCell[]> {
  const limits = LIMITS.filter((limit) => {
    return DIRECTIONS.some(({ name }) => isWanted(cellName(limit.name, name)));
  });
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const servers: Served[] = [];
  try {
    const cells: AccuracyCell[] = [];
    if (limits.length > 0) servers.push(await serveOurs(folder));
    for (const limit of limits) {
      const places = ourPlaces(folder, limit);
      const theirs = await servePeers(folder, limit);
      servers.push(...theirs);
      places.push(...theirs.map(({ name, socket }) => ({ name, uri: uriOf(socket, "") })));
      for (const { name: direction, modes } of DIRECTIONS) {
        if (!isWanted(cellName(limit.name, direction))) continue;
        const contenders = await measure(places, limit, modes, { folder, rounds, seconds });
        cells.push({ limit: limit.name, direction, contenders });
      }
    }
    return cells;
  } finally {
    for (const { process } of servers) process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

function cellName(limit: string, direction: string): string {
  return `accuracy ${limit} ${direction}`;
}

/** One process, in which each limit is a group with an export, and another with a burst. */
async function serveOurs(folder: string): Promise<Served> {
  const [disks, groups, exports] = [["disks:"], ["groups:"], ["exports:"]];
  for (const [at, { unit, perSecond }] of LIMITS.entries()) {
    const keys = unit === "bytes" ? ["rbps", "wbps"] : ["riops", "wiops"];
    const limits = keys.map((key) => `${key}=${String(perSecond)}`).join(" ");
    for (const [way, { words }] of OURS.entries()) {
      const name = exportName(at, way);
      disks.push(`  disk-${name}: { file: ${image(folder)} }`);
      groups.push(`  ${name}: "${limits}${words}"`);
      exports.push(`  ${name}: { device: disk-${name}, group: ${name} }`);
    }
  }
  const stack = join(folder, "stack.yaml");
  writeFileSync(stack, `${[...disks, ...groups, ...exports].join("\n")}\n`);
  const socket = ourSocket(folder);
  return serve("blkstack", socket, [BLKSTACK, "serve", stack, "--listen", `unix:${socket}`]);
}

function ourSocket(folder: string): string {
  return join(folder, "blkstack.sock");
}

function exportName(limit: number, way: number): string {
  return `limit${String(limit)}-${String(way)}`;
}

function ourPlaces(folder: string, limit: Limit): Place[] {
  return OURS.map(({ name }, way) => {
    return { name, uri: uriOf(ourSocket(folder), exportName(LIMITS.indexOf(limit), way)) };
  });
}

function servePeers(folder: string, limit: Limit): Promise<Served[]> {
  const at = String(LIMITS.indexOf(limit));
  return Promise.all(
    PEERS.flatMap(({ name, keeps, command }, number) => {
      if (!keeps(limit)) return [];
      const socket = join(folder, `${at}-${String(number)}.sock`);
      return [serve(name, socket, command(limit, image(folder), socket))];
    }),
  );
}

/** Of its own for each; written, for what is a hole somebody may not read at all. */
let images = 0;
function image(folder: string): string {
  images += 1;
  const path = join(folder, `${String(images)}.img`);
  makeImage(path, IMAGE_MIB);
  return path;
}

function uriOf(socket: string, exportName: string): string {
  return `nbd+unix:///${exportName}?socket=${socket}`;
}

async function measure(
  places: readonly Place[],
  limit: Limit,
  modes: readonly string[],
  { folder, rounds, seconds }: { folder: string; rounds: number; seconds: number },
): Promise<Deviation[]> {
  const samples = places.map((): { percent: number; seconds: number[] }[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = [...places.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, { uri }] of order) {
      const log = join(folder, "log");
      samples[index]?.push(await deviationOf(uri, limit, modes, { log, seconds }));
    }
  }
  return places.map(({ name }, index) => {
    const rounds = samples[index] ?? [];
    return {
      name,
      percent: median(rounds.map(({ percent }) => percent)),
      worstSecondPercent: furthest(rounds.flatMap(({ seconds }) => seconds)),
    };
  });
}

async function deviationOf(
  uri: string,
  { unit, perSecond, blockBytes, depth }: Limit,
  modes: readonly string[],
  { log, seconds }: { log: string; seconds: number },
): Promise<{ percent: number; seconds: number[] }> {
  const common = [`--uri=${uri}`, `--bs=${String(blockBytes)}`, `--iodepth=${String(depth)}`];
  const time = ["--time_based", `--runtime=${String(seconds)}`, `--size=${String(IMAGE_MIB)}m`];
  const jobs = modes.map((mode) => [`--name=${mode}`, `--rw=${mode}`, ...common, ...time]);
  const done = await completionsOf(jobs, log);
  const each = done.map((completions) => {
    const counts = Array.from({ length: seconds }, () => 0);
    for (const { atMs, bytes } of completions) {
      const second = Math.floor(atMs / 1000);
      if (second < seconds) counts[second] = (counts[second] ?? 0) + (unit === "bytes" ? bytes : 1);
    }
    const settled = counts.slice(SETTLING_SECONDS);
    const mean = settled.reduce((sum, count) => sum + count, 0) / settled.length;
    const percentOf = (count: number): number => (count / perSecond - 1) * 100;
    return { percent: percentOf(mean), seconds: settled.map(percentOf) };
  });
  return {
    percent: furthest(each.map(({ percent }) => percent)),
    seconds: each.flatMap(({ seconds }) => seconds),
  };
}

function furthest(percents: readonly number[]): number {
  return percents.reduce((worst, percent) => {
    return Math.abs(percent) > Math.abs(worst) ? percent : worst;
  }, 0);
}
