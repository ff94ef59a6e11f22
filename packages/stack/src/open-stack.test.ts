import { Bio, bioEndio, BioOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
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
import { Throttle } from "@blkstack/throttle";
import { expect, it, vi } from "vitest";
import {
  type DiskKinds,
  openStack,
  parseStack,
  runInTask,
  type Stack,
  StackError,
} from "./index.ts";

/** A disk that takes everything and keeps nothing. */
class Hole implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;

  constructor(name: string, sizeBytes: number, isReadOnly: boolean) {
    this.name = name;
    this.sizeSectors = sizeBytes / SECTOR_BYTES;
    this.isReadOnly = isReadOnly;
    this.queue = new RequestQueue(name, stackingLimits());
  }

  submitBio(bio: Bio): void {
    bioEndio(bio);
  }
}

/** A target `over DEVICE`, which tells when it comes and goes. */
const overTarget = (log: string[]) =>
  defineTarget({
    name: "over",
    version: [1, 0, 0],
    apiVersion: API_VERSION,
    create({ args: [name = ""], argumentCount, openDevice, deviceName, sizeSectors }) {
      argumentCount(1);
      const device = openDevice(name);
      log.push(`create ${deviceName}`);
      return {
        map(bio) {
          bio.device = device;
          return MapResult.Remapped;
        },
        status: () => name,
        devices: () => [{ device, startSector: 0, sizeSectors }],
        destroy: () => void log.push(`remove ${deviceName}`),
      };
    },
  });

/** Disks of which "missing.img" cannot be opened; `create` ones are new. */
const diskKinds = (log: string[]): DiskKinds => ({
  file({ name, disk, baseDirectory }) {
    if (disk.path === "missing.img") {
      throw new BlockError("BLK_DEVICE", "ENOENT", `${baseDirectory}/${disk.path} is not there`);
    }
    log.push(`open ${name}`);
    return {
      device: new Hole(name, disk.sizeBytes ?? 4096, disk.isReadOnly),
      close: () => void log.push(`close ${name}`),
      removeCreated() {
        if (disk.create) log.push(`delete ${name}`);
      },
    };
  },
  ram: ({ name, disk }) => ({ device: new Hole(name, disk.sizeBytes, disk.isReadOnly) }),
});

function open(
  text: string,
  log: string[] = [],
  kinds = diskKinds(log),
  submitter = new MakeRequest(),
  targets = [overTarget(log)],
): Promise<Stack> {
  const scheduler = new EventLoopScheduler();
  return openStack(parseStack(text, "s.yaml"), {
    scheduler,
    submitter,
    memory: new Memory({ scheduler }),
    diskKinds: kinds,
    targets,
    baseDirectory: "/somewhere",
  });
}

const TOWER = `disks:
  new: { file: new.img, size: 4KiB, create: true }
  old: { file: old.img, readOnly: true }
devices:
  top: 0 8 over middle
  middle: 0 8 over bottom
  bottom: 0 8 over new
  look: 0 8 over old
exports:
  top: { device: top, description: the top, default: true }
  look: { device: look }
  half: { device: middle, readOnly: true }
`;

it("devices are made after those that they stand on, and go before them", async () => {
  const log: string[] = [];
  const stack = await open(TOWER, log);
  expect(log.splice(0)).toEqual([
    "open new",
    "open old",
    "create bottom",
    "create middle",
    "create top",
    "create look",
  ]);
  expect([...stack.devices.keys()]).toEqual(["new", "old", "bottom", "middle", "top", "look"]);
  await stack.close();
  await stack.close();
  expect(log).toEqual([
    "remove look",
    "remove top",
    "remove middle",
    "remove bottom",
    "close old",
    "close new",
  ]);
});

it("whoever cuts bios hears of every disk and device when it comes and when it has gone", async () => {
  const here = new Set<string>();
  class Listening extends MakeRequest {
    override addDevice({ name }: BlockDevice): void {
      here.add(name);
    }

    override removeDevice({ name }: BlockDevice): void {
      here.delete(name);
    }
  }
  const text = `${TOWER}  disk: { device: spare }\n`.replace(
    "disks:",
    "disks:\n  spare: { ram: 1MiB }",
  );
  const stack = await open(text, [], diskKinds([]), new Listening());
  expect([...here].sort()).toEqual([...stack.devices.keys()].sort());
  await stack.close();
  expect([...here]).toEqual([]);
});

it("devices that were made later go too, whatever stands on what by then", async () => {
  const log: string[] = [];
  const stack = await open(TOWER, log);
  const { mapper } = stack;
  const scheduler = mapper.get("top").scheduler;
  await runInTask(scheduler, "change", async (task) => {
    await mapper.create("late", task, { table: "0 8 over look" });
    await mapper.load("bottom", "0 8 over late", task);
    await mapper.resume("bottom", task);
    await mapper.suspend("late", task);
    await mapper.suspend("middle", task);
  });
  log.length = 0;
  await stack.close();
  expect(log).toEqual([
    "remove top",
    "remove middle",
    "remove bottom",
    "remove late",
    "remove look",
    "close old",
    "close new",
  ]);
});

it("a name that a removed device had is nobody's", async () => {
  const stack = await open(TOWER);
  const { mapper } = stack;
  await runInTask(mapper.get("top").scheduler, "change", async (task) => {
    await mapper.remove("look", task);
    const made = mapper.create("late", task, { table: "0 8 over look" });
    await expect(made).rejects.toThrow('there is no "look"');
  });
  await stack.close();
});

it("exports in a group keep its limits together, beside others of the same device that have none", async () => {
  const file =
    'disks:\n  base: { file: base.img }\ngroups:\n  gold: "wiops=10"\nexports:\n' +
    "  one: { device: base, group: gold }\n  two: { device: base, group: gold }\n  free: { device: base }\n";
  const stack = await open(file);
  const ended: string[] = [];
  await runInTask(new EventLoopScheduler(), "writer", async (task) => {
    for (const name of ["one", "two", "free", "one"]) {
      const bio = new Bio();
      bio.device = stack.exports.get(name)?.device ?? null;
      bio.op = BioOp.WriteZeroes;
      bio.sizeBytes = 512;
      bio.endIo = () => ended.push(name);
      await new MakeRequest().submitBio(bio, task);
    }
  });
  expect(ended).toEqual(["one", "free"]);
  await stack.close();
  expect(ended).toEqual(["one", "free", "two", "one"]);
});

/** A target `groups` that hands out what keeps to limits. */
const groupsTarget = (found: Throttle[]) =>
  defineTarget({
    name: "groups",
    version: [1, 0, 0],
    apiVersion: API_VERSION,
    create({ service }) {
      found.push(service(Throttle));
      return { map: () => MapResult.Submitted, status: () => "", devices: () => [] };
    },
  });

it("exports in a group take turns, and one with many bios does not keep the others waiting", async () => {
  const file =
    "disks:\n  base: { file: base.img }\ngroups:\n  gold: wiops=2\n  silver: wiops=2 burst=3s\n" +
    "devices:\n  lever: 0 8 groups\n" +
    "exports:\n  one: { device: base, group: gold }\n  two: { device: base, group: gold }\n";
  const found: Throttle[] = [];
  const stack = await open(file, [], diskKinds([]), new MakeRequest(), [groupsTarget(found)]);
  const ended: string[] = [];
  await runInTask(new EventLoopScheduler(), "writer", async (task) => {
    for (const name of ["one", "one", "one", "two"]) {
      const bio = new Bio();
      bio.device = stack.exports.get(name)?.device ?? null;
      bio.op = BioOp.WriteZeroes;
      bio.sizeBytes = 512;
      bio.endIo = () => ended.push(name);
      await new MakeRequest().submitBio(bio, task);
    }
  });
  expect(ended).toEqual([]);
  const [throttle] = found;
  throttle?.setLimits("gold", { wiops: Infinity });
  await vi.waitFor(() => {
    expect(ended).toEqual(["one", "two", "one", "one"]);
  });
  expect(["gold", "silver"].map((name) => throttle?.burstMsOf(name))).toEqual([0, 3000]);
  await stack.close();
});

it("an export is as read-only as its device, or more", async () => {
  const stack = await open(TOWER);
  expect([...stack.exports.values()]).toMatchObject([
    {
      name: "top",
      device: stack.devices.get("top"),
      isReadOnly: false,
      description: "the top",
      isDefault: true,
    },
    { name: "look", device: stack.devices.get("look"), isReadOnly: true, isDefault: false },
    { name: "half", device: stack.devices.get("middle"), isReadOnly: true, isDefault: false },
  ]);
  await stack.close();
});

it("a stack that is discarded takes along the files that it made, and no others", async () => {
  const log: string[] = [];
  const stack = await open(TOWER, log);
  log.length = 0;
  await stack.discard();
  expect(log.slice(-3)).toEqual(["close old", "close new", "delete new"]);
});

/** What goes wrong half-way, the part of the file that does it, and what is told. */
const FAILURES: readonly (readonly [what: string, part: string, complaint: string])[] = [
  [
    "a disk that is not there",
    "disks:\n  base: { file: new.img, size: 4KiB, create: true }\n  gone: { file: missing.img }\n",
    "s.yaml:3:3: /somewhere/missing.img is not there",
  ],
  [
    "an unknown target",
    "devices:\n  md: |\n    0 4 over base\n    4 4 ovre base\n",
    's.yaml:6:9: device "md": unknown target "ovre"; did you mean "over"?',
  ],
  [
    "an unknown device of a table",
    "devices:\n  good: 0 8 over base\n  md: |\n    0 4 over base\n    4 4 over bsae\n",
    's.yaml:7:14: device "md": table line 2, argument 1: over: Device lookup failed (there is no "bsae"; did you mean "base"?)',
  ],
  [
    "a wrong number of arguments",
    "devices:\n  md: 0 8 over base base\n",
    's.yaml:4:7: device "md": table line 1: over: Invalid argument count (takes 1, got 2)',
  ],
  [
    "a gap",
    "devices:\n  md: |\n    0 4 over base\n    5 3 over base\n",
    's.yaml:6:5: device "md": table line 2: Gap in table (begins at 5, expected 4)',
  ],
  [
    "a device that is too small",
    "devices:\n  md: 0 9 over base\n",
    's.yaml:4:7: device "md": table line 1: base too small for target: start=0, len=9, dev_size=8',
  ],
  [
    "a writable export of a read-only disk",
    "  look: { file: look.img, readOnly: true }\nexports:\n  e: { device: look, readOnly: false }\n",
    's.yaml:5:32: export "e": device "look" is read-only; leave readOnly: false out',
  ],
];

it.each(FAILURES)("%s leaves nothing behind", async (_what, part, complaint) => {
  const log: string[] = [];
  const base = part.startsWith("disks:")
    ? ""
    : "disks:\n  base: { file: new.img, size: 4KiB, create: true }\n";
  const opening = open(`${base}${part}`, log);
  const error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StackError);
  expect((error as StackError).message).toBe(complaint);
  const opened = log.filter((line) => line.startsWith("open "));
  const closed = log.filter((line) => line.startsWith("close "));
  expect(closed.map((line) => line.slice(6))).toEqual(
    opened.map((line) => line.slice(5)).reverse(),
  );
  const made = log.filter((line) => line.startsWith("create ")).map((line) => line.slice(7));
  const removed = log.filter((line) => line.startsWith("remove ")).map((line) => line.slice(7));
  expect(removed.sort()).toEqual(made.sort());
  expect(log.at(-1)).toBe("delete base");
});

it("a kind of disk that nobody opens is refused", async () => {
  await expect(open("disks:\n  base: { ram: 1MiB }\n", [], {})).rejects.toThrow(
    's.yaml:2:11: disk "base": there are no ram disks here',
  );
});

it("an error in closing one part does not keep the others open", async () => {
  const log: string[] = [];
  const kinds: DiskKinds = {
    file: ({ name }) => ({
      device: new Hole(name, 4096, false),
      close() {
        log.push(name);
        throw new Error(`${name} will not close`);
      },
    }),
  };
  const stack = await open("disks:\n  a: { file: a }\n  b: { file: b }\n", [], kinds);
  await expect(stack.close()).rejects.toThrow("b will not close");
  expect(log).toEqual(["b", "a"]);
});
