import { type BlockDevice, IO_KIND_NAMES, IoKind, type IoStats } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import type { NbdServer } from "@blkstack/nbd";
import type { Stack } from "@blkstack/stack";
import { LIMIT_NAMES } from "@blkstack/throttle";
import type { LiveExports } from "../live-exports.ts";
import { memoryReport } from "../memory-report.ts";
import { type Labels, MetricsPage } from "./metrics-page.ts";
import { fillsOf, hitsOf } from "./target-status.ts";

/** What metrics are taken from. */
export interface Watched {
  readonly stack: Stack;
  readonly exports: LiveExports;
  readonly server: NbdServer;
  readonly memory: Memory;
}

/** Of more connections than this only their number is told, so that a page stays short. */
const CONNECTIONS_TOLD_MAX = 64;

const KINDS: readonly IoKind[] = Object.values(IoKind);
const SECONDS_PER_US = 1e-6;

/** Those whose I/O is told. */
interface Tellers {
  readonly prefix: string;
  readonly what: string;
  /** Of so many buckets one. */
  readonly coarseness: number;
}

const DEVICES: Tellers = {
  prefix: "blkstack_device",
  what: "of a disk, device or door to a group",
  coarseness: 1,
};
const EXPORTS: Tellers = {
  prefix: "blkstack_export",
  what: "that clients asked of an export",
  coarseness: 1,
};
const CONNECTIONS: Tellers = { prefix: "blkstack_connection", what: "of a client", coarseness: 2 };

/** All there is to be told, in the text format of Prometheus. Waits: never for long. */
export function metricsOf({ stack, exports, server, memory }: Watched): Promise<string> {
  const page = new MetricsPage();
  tellIo(page, DEVICES, devicesOf(stack));
  const names = exports.list().map(({ name }) => name);
  const ofExports = names.map((name): Told => [{ export: name }, server.statsOf(name)]);
  tellIo(page, EXPORTS, ofExports);
  const told = server.connections(CONNECTIONS_TOLD_MAX);
  const ofConnections = told.map(({ id, export: name, peer, stats }): Told => {
    return [{ connection: String(id), export: name, peer }, stats];
  });
  tellIo(page, CONNECTIONS, ofConnections);
  tellServer(page, server);
  tellMemory(page, memory);
  tellGroups(page, stack);
  tellTargets(page, stack);
  return page.text();
}

type Told = readonly [labels: Labels, stats: IoStats];

function devicesOf({ disks, mapper, exports }: Stack): Told[] {
  const layers: (readonly [string, BlockDevice])[] = [
    ...[...disks.values()].map((disk) => ["disk", disk] as const),
    ...mapper.list().map((device) => ["device", device] as const),
    ...[...exports.values()].map(({ device }) => ["group", device] as const),
  ];
  const seen = new Set<BlockDevice>();
  return layers.flatMap(([layer, device]): Told[] => {
    const { account } = device.queue;
    if (account === null || seen.has(device)) return [];
    seen.add(device);
    return [[{ device: device.name, layer }, account.stats]];
  });
}

function tellIo(
  page: MetricsPage,
  { prefix, what, coarseness }: Tellers,
  all: readonly Told[],
): void {
  const each = (
    name: string,
    help: string,
    read: (stats: IoStats, kind: IoKind) => number,
  ): void => {
    page.family(`${prefix}_${name}`, "counter", `${help} ${what}.`);
    for (const [labels, stats] of all) {
      for (const kind of KINDS) {
        page.sample({ ...labels, op: opOf(kind) }, read(stats, kind));
      }
    }
  };
  each("ios_total", "I/Os that have ended", (stats, kind) => stats.ios(kind));
  each("bytes_total", "Bytes of I/Os that went well", (stats, kind) => stats.bytes(kind));
  each("errors_total", "I/Os that ended with an error", (stats, kind) => stats.errors(kind));
  page.family(`${prefix}_in_flight`, "gauge", `I/Os begun and not ended ${what}.`);
  for (const [labels, { inFlight }] of all) page.sample(labels, inFlight);
  const latency = `${prefix}_latency_seconds`;
  page.family(latency, "histogram", `How long I/Os took ${what}.`);
  for (const [labels, stats] of all) {
    for (const kind of KINDS) {
      if (stats.ios(kind) === 0) continue;
      const counts = coarser(stats.latency(kind), coarseness);
      const bounds = counts.map((_, index) => 2 ** (index * coarseness) * SECONDS_PER_US);
      const sum = stats.totalUs(kind) * SECONDS_PER_US;
      const histogram = { counts, bounds: bounds.slice(0, -1), sum };
      page.histogram({ ...labels, op: opOf(kind) }, histogram);
    }
  }
}

/** Bounds that are left are bounds of both: the first one is, and so is infinity. */
function coarser(counts: readonly number[], coarseness: number): number[] {
  const length = Math.ceil((counts.length - 1) / coarseness) + 1;
  const sums = new Array<number>(length).fill(0);
  for (const [index, count] of counts.entries()) {
    const at = index === counts.length - 1 ? length - 1 : Math.ceil(index / coarseness);
    sums[at] = (sums[at] ?? 0) + count;
  }
  return sums;
}

function opOf(kind: IoKind): string {
  return IO_KIND_NAMES[kind] ?? "other";
}

function tellServer(page: MetricsPage, { counters }: NbdServer): void {
  const { connections, halfOpen } = counters;
  page.family("blkstack_connections", "gauge", "Clients that are connected, by how far they are.");
  page.sample({ state: "open" }, connections);
  page.sample({ state: "negotiating" }, halfOpen);
}

function tellMemory(page: MetricsPage, memory: Memory): void {
  const { memory: budget, pools } = memoryReport(memory);
  const gauge = (name: string, help: string, value: number): void => {
    page.family(name, "gauge", help);
    page.sample({}, value);
  };
  gauge("blkstack_memory_total_bytes", "The budget of --memory.", budget.totalBytes);
  gauge("blkstack_memory_free_bytes", "What is free of it.", budget.freeBytes);
  page.family(
    "blkstack_memory_reclaim_rounds_total",
    "counter",
    "Rounds in which caches gave back.",
  );
  page.sample({ by: "direct" }, budget.directRounds);
  page.sample({ by: "background" }, budget.backgroundRounds);
  page.family("blkstack_memory_stalls_total", "counter", "Times that nobody had any to give back.");
  page.sample({}, budget.stalls);
  const ofPools = [
    ["blkstack_pool_reserve_elements", "gauge", "Elements to be in reserve.", "minNr"],
    ["blkstack_pool_elements", "gauge", "Elements in reserve now.", "currNr"],
    ["blkstack_pool_lowest_elements", "gauge", "Elements in reserve at the least.", "lowestNr"],
    ["blkstack_pool_from_reserve_total", "counter", "Elements taken from it.", "fromReserve"],
    ["blkstack_pool_waits_total", "counter", "Allocations that had to wait.", "waits"],
  ] as const;
  for (const [name, type, help, key] of ofPools) {
    page.family(name, type, help);
    // Pools of one label are told as one.
    for (const pool of pools) page.sample({ pool: pool.label }, pool[key]);
  }
}

function tellGroups(page: MetricsPage, { groups: { throttle } }: Stack): void {
  const names = throttle.groupNames;
  page.family("blkstack_group_limit", "gauge", "Limits of a group per second; +Inf: none.");
  for (const group of names) {
    const limits = throttle.limitsOf(group);
    for (const limit of LIMIT_NAMES) {
      page.sample({ group, limit }, limits[limit]);
    }
  }
  const words = names.map((group) => [group, throttle.ioStat(group, "")] as const);
  for (const [name, suffix, help] of [
    ["blkstack_group_bytes_total", "bytes", "Bytes of a group and those below it, as in io.stat."],
    ["blkstack_group_ios_total", "ios", "Bios of a group and those below it, as in io.stat."],
  ] as const) {
    page.family(name, "counter", help);
    for (const [group, line] of words) {
      for (const [op, letter] of [
        ["read", "r"],
        ["write", "w"],
        ["discard", "d"],
      ] as const) {
        const value = Number(new RegExp(`\\b${letter}${suffix}=(\\d+)`).exec(line)?.[1] ?? 0);
        page.sample({ group, op }, value);
      }
    }
  }
  page.family("blkstack_group_held_seconds_total", "counter", "How long its bios were held back.");
  for (const group of names) {
    page.sample({ group }, throttle.heldMs(group) / 1000);
  }
}

function tellTargets(page: MetricsPage, { mapper }: Stack): void {
  const lines = mapper.list().flatMap(({ name }) => {
    return mapper.status(name).map((line) => ({ name, line }));
  });
  const fills = lines.flatMap(({ name, line }) => fillsOf(line).map((fill) => ({ name, ...fill })));
  page.family("blkstack_snapshot_used_sectors", "gauge", "Sectors of a COW store in use.");
  for (const { name, begin, usedSectors } of fills) {
    page.sample({ device: name, begin }, usedSectors);
  }
  page.family("blkstack_snapshot_total_sectors", "gauge", "Sectors of a COW store.");
  for (const { name, begin, totalSectors } of fills) {
    page.sample({ device: name, begin }, totalSectors);
  }
  const caches = lines.flatMap(({ name, line }) => hitsOf(line).map((hits) => ({ name, ...hits })));
  page.family("blkstack_cache_bios_total", "counter", "Bios of a cache, by what it had.");
  for (const { name, begin, bios } of caches) {
    for (const [op, result, value] of bios) {
      page.sample({ device: name, begin, op, result }, value);
    }
  }
}
