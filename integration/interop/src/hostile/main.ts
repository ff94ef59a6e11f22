// One server, one client that does no harm, and crowds beside it: what each costs that client, and
// what the server holds meanwhile. `crowd KIND COUNT SOCKET` is one crowd, until its input ends.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Served } from "../served.ts";
import { eventually, Workbench } from "../workbench.ts";
import { type Crowd, gather, type Kind, KINDS } from "./crowd.ts";
import { type Latency, type Probed, probe } from "./probe.ts";

const MIB = 1024 * 1024;
const IMAGE_MIB = 64;

interface Told {
  readonly members: number;
  readonly least: number;
  readonly most: number;
  readonly closed: number;
}

/** A crowd in a process of its own: what it does must not slow down who is beside it. */
class Apart {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async gather(socket: string, kind: Kind, count: number): Promise<Apart> {
    const args = [fileURLToPath(import.meta.url), "crowd", kind, String(count), socket];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit").then(() => {
      throw new Error(`the crowd "${kind}" was not served`);
    });
    await Promise.race([once(child.stdout, "data"), ended]);
    ended.catch(() => undefined);
    return new Apart(child);
  }

  async leave(): Promise<Told> {
    const { stdin, stdout } = this.#child;
    if (stdout === null) throw new Error("a crowd without a word");
    const said = once(stdout, "data") as Promise<[Buffer]>;
    stdin?.end();
    const [text] = await said;
    await once(this.#child, "close");
    return JSON.parse(text.toString()) as Told;
  }
}

/** The other side of that. */
async function beCrowd([kind = "", count = "", socket = ""]: readonly string[]): Promise<void> {
  const crowd: Crowd = await gather(socket, kind as Kind, Number(count));
  const before = [...crowd.served];
  process.stdout.write("served\n");
  process.stdin.resume();
  await once(process.stdin, "end");
  const during = crowd.served.map((served, index) => served - (before[index] ?? 0));
  crowd.leave();
  const told: Told = {
    members: crowd.served.filter((served) => served > 0).length,
    least: Math.min(...during),
    most: Math.max(...during),
    closed: crowd.closed,
  };
  process.stdout.write(JSON.stringify(told), () => process.exit(0));
}

interface Scene {
  readonly name: string;
  readonly crowds: readonly (readonly [Kind, number])[];
}

function scenesOf(idle: number, active: number, hostile: number): readonly Scene[] {
  const many = (kind: Kind, count: number): readonly [Kind, number] => [kind, count];
  return [
    { name: "nobody", crowds: [] },
    { name: `${String(idle)} idle`, crowds: [many("idle", idle)] },
    { name: `${String(active)} active`, crowds: [many("active", active)] },
    { name: "both", crowds: [many("idle", idle), many("active", active)] },
    { name: "1 slow reader", crowds: [many("slow-reader", 1)] },
    { name: "1 slow writer", crowds: [many("slow-writer", 1)] },
    { name: `${String(hostile)} slow readers`, crowds: [many("slow-reader", hostile)] },
    { name: `${String(hostile)} slow writers`, crowds: [many("slow-writer", hostile)] },
    { name: "1000 half-open", crowds: [many("half-open", 1000)] },
    { name: `${String(hostile)} option floods`, crowds: [many("options", hostile)] },
    { name: `${String(hostile)} refused floods`, crowds: [many("refused", hostile)] },
  ];
}

const ms = (value: number): string => value.toFixed(2);
const cells = ({ count, p50Ms, p99Ms, maxMs }: Latency): string[] => [
  String(count),
  [ms(p50Ms), ms(p99Ms), ms(maxMs)].join(" / "),
];
const line = (of: readonly string[]): string => `| ${of.join(" | ")} |\n`;

async function measure(options: {
  readonly seconds: number;
  readonly scenes: readonly Scene[];
}): Promise<void> {
  const bench = new Workbench();
  bench.writePattern("disk.img", IMAGE_MIB * MIB);
  const socket = bench.path("nbd.sock");
  const served = await Served.start(
    ["--file", "disk.img", "--listen", `unix:${socket}`],
    bench.folder,
  );
  try {
    await probe(socket, 1);
    const before = served.openFiles().length;
    const head = [
      "beside",
      "4 KiB",
      "p50 / p99 / max ms",
      "1 MiB",
      "p50 / p99 / max ms",
      "MiB",
      "crowd",
    ];
    process.stdout.write(line(head) + line(head.map(() => "---")));
    for (const { name, crowds } of options.scenes) {
      const gathered: Apart[] = [];
      for (const [kind, count] of crowds) gathered.push(await Apart.gather(socket, kind, count));
      const probed: Probed = await probe(socket, options.seconds);
      const residentMib = (served.residentBytes() / MIB).toFixed(0);
      const told: string[] = [];
      for (const crowd of gathered) {
        const { members, least, most, closed } = await crowd.leave();
        told.push(
          `${String(members)} served, ${String(least)} to ${String(most)} requests each, closed ${String(closed)}`,
        );
      }
      process.stdout.write(
        line([name, ...cells(probed.small), ...cells(probed.large), residentMib, told.join("; ")]),
      );
      await eventually(() => {
        const now = served.openFiles().length;
        if (now > before)
          throw new Error(`${String(now - before)} descriptors are left of "${name}"`);
      });
    }
    await probe(socket, 1);
    const after = served.openFiles().length;
    process.stdout.write(
      `descriptors of the server: ${String(before)} before, ${String(after)} after\n`,
    );
  } finally {
    await served.stop();
    bench.clear();
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    idle: { type: "string", default: "1000" },
    active: { type: "string", default: "200" },
    hostile: { type: "string", default: "8" },
    only: { type: "string", default: "" },
  },
});
if (positionals[0] === "crowd" && KINDS.includes(positionals[1] as Kind)) {
  await beCrowd(positionals.slice(1));
} else {
  const { idle, active, hostile, only, seconds } = values;
  const scenes = scenesOf(Number(idle), Number(active), Number(hostile));
  const chosen = scenes.filter(({ name }) => name.includes(only));
  await measure({ seconds: Number(seconds), scenes: chosen });
}
