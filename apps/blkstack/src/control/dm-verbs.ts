import { BlockError } from "@blkstack/block";
import {
  type DeviceInfo,
  type DeviceMapper,
  type Interruption,
  parseTable,
  type SuspendOptions,
} from "@blkstack/device-mapper";
import type { Stack } from "@blkstack/stack";
import type { Task } from "@blkstack/task";
import type { LiveExports } from "../live-exports.ts";
import type { Reloader } from "../operate/reloader.ts";
import type { Answer, DeviceLines } from "./answer.ts";
import { type Fields, refusal } from "./fields.ts";
import { atStep } from "./step-error.ts";

/** What requests work on. */
export interface ControlRoom {
  readonly stack: Stack;
  readonly exports: LiveExports;
  /** Has the stack file read again. */
  readonly reloader: Reloader;
}

/** One request as it is carried out. */
export interface Asked {
  readonly fields: Fields;
  readonly room: ControlRoom;
  readonly task: Task;
  /** Raised when whoever asked has left. */
  readonly interruption: Interruption;
}

export interface Verb {
  /** The fields that it knows. */
  readonly fields: readonly string[];
  /** Whether it is carried out at once, whatever else is going on. */
  readonly isUrgent: boolean;
  perform(asked: Asked): Promise<Answer> | Answer;
}

const SUSPEND_FIELDS = ["name", "noflush", "nolockfs"];
const LINES_FIELDS = ["name", "inactive"];

/** The commands of `dmsetup`, by name. */
export const DM_VERBS: Readonly<Record<string, Verb>> = {
  ls: now([], ({ room: { stack } }) => ({ devices: infosOf(stack.mapper) })),
  info: now(["name"], ({ fields, room: { stack } }) => ({
    devices: infosOf(stack.mapper, fields.optionalText("name")),
  })),
  table: now(LINES_FIELDS, (asked) => linesOf(asked, (dm, name, which) => dm.table(name, which))),
  status: now(LINES_FIELDS, (asked) => linesOf(asked, (dm, name, which) => dm.status(name, which))),
  deps: now(LINES_FIELDS, (asked) => linesOf(asked, (dm, name, which) => dm.deps(name, which))),
  create: inTurn(["name", "table", "uuid", "readOnly"], create),
  reload: inTurn(["name", "table", "readOnly"], reload),
  suspend: change(SUSPEND_FIELDS, (dm, name, asked) =>
    dm.suspend(name, asked.task, suspendOptions(asked)),
  ),
  // At once: what is going on may be waiting for bios, and they for this.
  resume: {
    ...change(SUSPEND_FIELDS, (dm, name, asked) =>
      dm.resume(name, asked.task, suspendOptions(asked)),
    ),
    isUrgent: true,
  },
  clear: change(["name"], (dm, name, { task }) => dm.clear(name, task)),
  wipe_table: change(["name"], (dm, name, { task }) => dm.wipe(name, task)),
  remove: inTurn(["name", "force", "deferred"], remove),
  message: inTurn(["name", "sector", "words"], async ({ fields, room: { stack }, task }) => {
    const words = fields.texts("words");
    const message = await stack.mapper.message(
      fields.text("name"),
      fields.count("sector"),
      words,
      task,
    );
    return { message };
  }),
};

function now(fields: readonly string[], perform: (asked: Asked) => Answer): Verb {
  return { fields, isUrgent: true, perform };
}

function inTurn(fields: readonly string[], perform: (asked: Asked) => Promise<Answer>): Verb {
  return { fields, isUrgent: false, perform };
}

function change(
  fields: readonly string[],
  perform: (mapper: DeviceMapper, name: string, asked: Asked) => Promise<void>,
): Verb {
  return inTurn(fields, async (asked) => {
    const { mapper } = asked.room.stack;
    const name = asked.fields.text("name");
    await perform(mapper, name, asked);
    return { devices: infosOf(mapper, name) };
  });
}

function infosOf(mapper: DeviceMapper, name?: string): DeviceInfo[] {
  if (name !== undefined) return [mapper.info(name)];
  return mapper.list().map((device) => mapper.info(device.name));
}

function linesOf(
  { fields, room: { stack } }: Asked,
  read: (mapper: DeviceMapper, name: string, which: "live" | "inactive") => string[],
): Answer {
  const { mapper } = stack;
  const which = fields.flag("inactive") ? "inactive" : "live";
  const wanted = fields.optionalText("name");
  const names = wanted === undefined ? mapper.list().map(({ name }) => name) : [wanted];
  const lines: DeviceLines[] = names.map((name) => ({ name, lines: read(mapper, name, which) }));
  return { lines };
}

function suspendOptions({ fields, interruption }: Asked): SuspendOptions {
  return { noflush: fields.flag("noflush"), nolockfs: fields.flag("nolockfs"), interruption };
}

async function create({ fields, room: { stack }, task }: Asked): Promise<Answer> {
  const { mapper } = stack;
  const name = fields.text("name");
  const table = fields.optionalText("table");
  const uuid = fields.optionalText("uuid");
  checkNewName(name, stack);
  const isReadOnly = fields.flag("readOnly") || standsOnReadOnly(table ?? "", stack);
  await mapper.create(name, task, { isReadOnly, ...(uuid === undefined ? {} : { uuid }) });
  const { deviceNumber } = mapper.info(name);
  // A table without lines makes a device without a table.
  if (table !== undefined && parseTable(table).length > 0) {
    try {
      await atStep("reload", mapper.load(name, table, task, { isReadOnly }), `(${deviceNumber})`);
      await atStep("resume", mapper.resume(name, task));
    } catch (error) {
      await mapper.remove(name, task);
      throw error;
    }
  }
  return { devices: infosOf(mapper, name) };
}

async function reload({ fields, room: { stack }, task }: Asked): Promise<Answer> {
  const { mapper } = stack;
  const name = fields.text("name");
  const table = fields.text("table");
  const isReadOnly = fields.flag("readOnly") || standsOnReadOnly(table, stack);
  await mapper.load(name, table, task, { isReadOnly });
  return { devices: infosOf(mapper, name) };
}

async function remove({ fields, room: { stack, exports }, task }: Asked): Promise<Answer> {
  const name = fields.text("name");
  const force = fields.flag("force");
  const deferred = fields.flag("deferred");
  const names = exports.of(name);
  if (names.length > 0 && !force && !deferred) {
    const message = `"${name}" is exported as ${names.map((each) => `"${each}"`).join(", ")}; remove that first`;
    throw new BlockError("BLK_STATE", "EBUSY", message);
  }
  await stack.mapper.remove(name, task, { force, deferred });
  return { devices: infosOf(stack.mapper).filter((device) => device.name === name) };
}

/** Tables could not tell a device from a disk of the same name. */
function checkNewName(name: string, { disks }: Stack): void {
  if (disks.has(name)) {
    throw new BlockError("BLK_STATE", "EBUSY", `"${name}" is the name of a disk`);
  }
  // eslint-disable-next-line no-control-regex -- names go into lines of text, which these would break
  if (/[\u0000-\u001f\u007f]/.test(name)) {
    throw refusal("a name has no control characters");
  }
}

/** As in a stack file: what names a read-only disk or device is read-only itself. */
function standsOnReadOnly(table: string, { disks, mapper }: Stack): boolean {
  const words = new Set(parseTable(table).flatMap(({ args }) => args));
  const devices = mapper.list();
  const isNamed = [...disks.values()].some((disk) => disk.isReadOnly && words.has(disk.name));
  return (
    isNamed ||
    devices.some(
      ({ name, deviceNumber, isReadOnly }) =>
        isReadOnly && (words.has(name) || words.has(deviceNumber)),
    )
  );
}
