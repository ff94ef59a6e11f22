import { Bio, BioOp, bioEndio, SECTOR_BYTES } from "@blkstack/bio";
import {
  API_VERSION,
  type BlockDevice,
  BlockError,
  defineTarget,
  MapResult,
  RequestQueue,
  stackingLimits,
} from "@blkstack/block";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it } from "vitest";
import { type ExportHost, openStack, parseStack, runInTask, type StackExport } from "./index.ts";

const FILE = `disks:
  base: { ram: 1MiB }
groups:
  a: "wbps=1000000"
devices:
  vm: 0 8 over base
  two: 0 8 over base
exports:
  vm: { device: vm }
`;

/** An open stack, whoever offers its exports, and what can be seen of both. */
class World {
  readonly scheduler = new EventLoopScheduler();
  readonly submitter = new MakeRequest();
  readonly log: string[] = [];
  readonly clients = new Map<string, number>();
  readonly served = new Map<string, StackExport>();
  readonly stack;
  /** Which device can go on with nothing but what it has. */
  unresumable = "";

  readonly host: ExportHost = {
    clientCount: (name) => this.clients.get(name) ?? 0,
    exportsOf: (device) =>
      [...this.served.values()].flatMap((each) => (each.device.name === device ? each.name : [])),
    add: (offered) => {
      if (this.served.has(offered.name)) {
        throw new BlockError("BLK_DEVICE", "EINVAL", `export "${offered.name}" is there twice`);
      }
      this.served.set(offered.name, offered);
    },
    remove: (name) => {
      this.served.delete(name);
      return Promise.resolve();
    },
  };

  private constructor(text: string) {
    this.stack = openStack(parseStack(text, "old.yaml"), {
      scheduler: this.scheduler,
      submitter: this.submitter,
      memory: new Memory({ scheduler: this.scheduler }),
      diskKinds: {
        ram: ({ name, disk }) => ({
          device: new Disk(name, disk.sizeBytes),
          close: () => void this.log.push(`close ${name}`),
          removeCreated: () => void this.log.push(`delete ${name}`),
        }),
      },
      targets: [this.#over()],
      baseDirectory: "/somewhere",
    });
  }

  static async open(text = FILE): Promise<World> {
    const world = new World(text);
    for (const offered of (await world.stack).exports.values()) {
      world.served.set(offered.name, offered);
    }
    return world;
  }

  /** Reloads with what becomes of the file; answers the steps, or what was complained of. */
  async reload(...changes: readonly [from: string, to: string][]): Promise<string[] | string> {
    const text = changes.reduce((file, [from, to]) => file.replaceAll(from, to), FILE);
    const stack = await this.stack;
    const steps = stack.reload(parseStack(text, "new.yaml"), this.host);
    return steps.then(
      (done) => done.map(({ verb, name }) => `${verb} ${name}`),
      (error: unknown) => (error as Error).message,
    );
  }

  /** What a reload must leave alone, when it is refused. */
  async state(): Promise<object> {
    const { mapper, groups, disks, exports } = await this.stack;
    const { throttle } = groups;
    return {
      disks: [...disks.keys()],
      devices: mapper.list().map(({ name }) => [name, mapper.table(name), mapper.info(name)]),
      groups: throttle.groupNames.map((name) => [name, throttle.limitsOf(name)]),
      exports: [...exports.keys()],
      served: [...this.served.values()].map(({ name, device }) => [name, device.name]),
    };
  }

  #over() {
    return defineTarget({
      name: "over",
      version: [1, 0, 0],
      apiVersion: API_VERSION,
      create: ({ args: [name = ""], openDevice, deviceName, sizeSectors }) => {
        const device = openDevice(name);
        return {
          map(bio) {
            bio.device = device;
            return MapResult.Remapped;
          },
          status: () => name,
          devices: () => [{ device, startSector: 0, sizeSectors }],
          preresume: () => {
            if (deviceName !== this.unresumable || name === "base") return;
            throw new BlockError("BLK_STATE", "EINVAL", `${deviceName} cannot go on`);
          },
        };
      },
    });
  }
}

class Disk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: number;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  seen = 0;

  constructor(name: string, sizeBytes: number) {
    this.name = name;
    this.sizeSectors = sizeBytes / SECTOR_BYTES;
    this.queue = new RequestQueue(name, stackingLimits());
  }

  submitBio(bio: Bio): void {
    this.seen += 1;
    bioEndio(bio);
  }
}

const MORE_DISKS = ["groups:", "  new: { ram: 1MiB }\ngroups:"] as const;

describe("a reload", () => {
  it("leads bios elsewhere, and a bio that came meanwhile is late and nothing else", async () => {
    const world = await World.open();
    const stack = await world.stack;
    const reloading = world.reload([...MORE_DISKS], ["vm: 0 8 over base", "vm: 0 8 over new"]);
    const ended = runInTask(world.scheduler, "client", async (task) => {
      const bio = new Bio();
      bio.op = BioOp.Read;
      bio.sizeBytes = SECTOR_BYTES;
      bio.device = stack.devices.get("vm") ?? null;
      const end = new Promise<number>((resolve) => {
        bio.endIo = ({ status }) => {
          resolve(status);
        };
      });
      await world.submitter.submitBio(bio, task);
      return end;
    });
    expect(await reloading).toEqual(["open disk new", "suspend vm", "load vm", "resume vm"]);
    expect(await ended).toBe(0);
    expect(stack.mapper.table("vm")).toEqual(["0 8 over new"]);
    expect(await world.reload()).toEqual([
      "suspend two",
      "suspend vm",
      "load vm",
      "check new",
      "resume vm",
      "resume two",
      "close disk new",
    ]);
    expect(world.log).toEqual(["close new"]);
    await stack.close();
  });

  it("adds exports with their groups, takes others away, and may be asked again and again", async () => {
    const world = await World.open();
    const stack = await world.stack;
    const more = "  vm: { device: vm }\n  raw: { device: base, group: b }\n";
    await world.reload(
      ['a: "wbps=1000000"', 'a: "wbps=5"\n  b: "riops=9"'],
      ["  vm: { device: vm }\n", more],
    );
    expect(world.served.get("raw")?.device.name).toBe("base in b");
    expect(stack.groups.throttle.limitsOf("a").wbps).toBe(5);
    expect([...stack.exports.keys()]).toEqual(["vm", "raw"]);
    await world.reload();
    expect([...world.served.keys()]).toEqual(["vm"]);
    expect(stack.groups.throttle.groupNames).toEqual(["a"]);
    expect(stack.groups.throttle.limitsOf("a").wbps).toBe(1_000_000);
    await stack.close();
  });
});

describe("a reload of groups", () => {
  it("gives weights to groups whose devices are shared, and takes them away", async () => {
    const world = await World.open();
    const stack = await world.stack;
    const weightOf = (name: string): Promise<number | undefined> =>
      runInTask(world.scheduler, "look", (task) => stack.groups.report(name, task).weight);
    const SHARED = [
      ['a: "wbps=1000000"', 'c/d: "weight=20"\n  a: "weight=300"\n  c: "rbps=5"'],
      ["  vm: { device: vm }\n", "  raw: { device: vm }\n  vm: { device: vm, group: a }\n"],
    ] as [string, string][];
    expect(await world.reload(...SHARED)).toEqual([
      "add group c",
      "add group c/d",
      "limit group a",
      "remove export vm",
      "add export vm",
      "add export raw",
    ]);
    expect(stack.exports.get("raw")?.member.isShared).toBe(true);
    expect(await weightOf("a")).toBe(300);
    await world.reload(...SHARED, ["weight=300", "wbps=7"]);
    expect(await weightOf("a")).toBeUndefined();
    const vm = stack.exports.get("vm");
    if (vm !== undefined) world.served.set("mine", vm);
    const more = ["exports:", "exports:\n  mine: { device: vm }"] as const;
    expect(await world.reload(...SHARED, [...more])).toContain("is there twice");
    expect(await weightOf("a")).toBeUndefined();
    await world.reload(...SHARED);
    expect(await weightOf("a")).toBe(300);
    expect(await world.reload()).toEqual([
      "limit group a",
      "remove export raw",
      "remove export vm",
      "add export vm",
      "remove group c/d",
      "remove group c",
    ]);
    expect(stack.groups.names).toEqual(["a"]);
    expect(stack.exports.get("vm")?.member).toMatchObject({ isShared: false, group: null });
    await stack.close();
  });

  it("refuses a weight for a group that uses a device without taking turns", async () => {
    const world = await World.open();
    const mine: [string, string] = ["vm: { device: vm }", "vm: { device: vm, group: a }"];
    await world.reload(mine);
    const before = await world.state();
    expect(await world.reload(mine, ["wbps=1000000", "wbps=1000000 weight=20"])).toMatch(
      /^new.yaml:4:6: group "a" is in use and had no weight at the start/,
    );
    expect(await world.state()).toEqual(before);
    await (await world.stack).close();
  });
});

describe("a reload that is refused", () => {
  const REFUSED: [what: string, complaint: string, ...changes: [string, string][]][] = [
    [
      "a table that names what is not there",
      'new.yaml:6:16: device "vm": table line 1, argument 1: over: Device lookup failed',
      ["over base", "over nowhere"],
    ],
    [
      "a target that there is not",
      'new.yaml:6:11: device "vm": unknown target "under"',
      ["over base", "under base"],
    ],
    [
      "a table beyond the end of its disk",
      'new.yaml:9:9: device "last": ',
      [...MORE_DISKS],
      ["two: 0 8 over base", "ok: 0 8 over new\n  last: 0 99999 over new"],
    ],
    [
      "an export that is there",
      'new.yaml:10:3: export "mine" is there twice',
      ["device: vm }", "device: vm }\n  mine: { device: vm }"],
    ],
    [
      "an export that clients use",
      'new.yaml:9:3: export "vm" cannot be changed: a client uses it',
      ["{ device: vm }", "{ device: base }"],
    ],
    [
      "a disk that a device made since stands on",
      'disk "base" cannot be removed: "later" stands on it',
      ["base: {", "new: {"],
      ["over base", "over new"],
    ],
    [
      "a target that cannot go on",
      "new.yaml:8:8: two cannot go on",
      [...MORE_DISKS],
      ["over base", "over new"],
    ],
  ];

  it.each(REFUSED)("for %s changes nothing", async (what, complaint, ...changes) => {
    const world = await World.open();
    const stack = await world.stack;
    if (what.includes("go on")) world.unresumable = "two";
    if (what.includes("clients")) world.clients.set("vm", 1);
    const mine = stack.exports.get("vm");
    if (what.includes("is there") && mine) world.served.set("mine", { ...mine, name: "mine" });
    if (what.includes("since")) {
      await runInTask(world.scheduler, "make", (task) =>
        stack.mapper.create("later", task, { table: "0 8 over base" }),
      );
    }
    const before = await world.state();
    expect(await world.reload(...changes)).toContain(complaint);
    expect(await world.state()).toEqual(before);
    expect(world.log).toEqual(changes.length > 1 ? ["close new", "delete new"] : []);
    // What was undone can be done.
    expect(await world.reload(["1000000", "2000000"])).toEqual(["limit group a"]);
    await stack.close();
  });
});
