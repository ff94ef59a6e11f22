import { BlockError } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { StackDescription } from "./description.ts";
import type { OpenParts } from "./open-parts.ts";
import { planReload, type ReloadStep } from "./reload-plan.ts";
import type { StackExport } from "./stack.ts";
import { errorAtName, type PartPath } from "./stack-source.ts";
import { complaintOf } from "./table-text.ts";
import { UndoList } from "./undo-list.ts";

/** Who offers the exports of a stack to clients. */
export interface ExportHost {
  /** How many clients use an export; 0 as well when there is none of that name. */
  clientCount(name: string): number;
  /** The names of the exports of a disk or device. */
  exportsOf(device: string): readonly string[];
  /** Throws a BlockError for one that cannot be offered: there is one of that name. */
  add(offered: StackExport): void;
  /** Waits: until nothing of it is in flight. One that is not there is no reason to complain. */
  remove(name: string, task: Task): Promise<void>;
}

/** A stack on its way from one description to another. */
export interface ReloadContext {
  readonly from: StackDescription;
  readonly to: StackDescription;
  readonly parts: OpenParts;
  readonly host: ExportHost;
  /** The exports as they are, to be changed. */
  readonly exports: Map<string, StackExport>;
}

/**
 * Takes the steps from one description to another, and answers which they were. All or nothing: when
 * a step goes wrong those before it are undone, and its error is thrown, a StackError that names the
 * part and its place in the new description.
 *
 * Waits: as the steps do; clients of devices that are suspended wait, too.
 */
export async function reloadStack(context: ReloadContext): Promise<ReloadStep[]> {
  const steps = planReload(context.from, context.to);
  refuseBusyExports(steps, context);
  const undo = new UndoList();
  try {
    for (const step of steps) await take(step, context, undo);
  } catch (error) {
    await undo.undo();
    throw error;
  }
  return steps;
}

function refuseBusyExports(steps: readonly ReloadStep[], { to, host }: ReloadContext): void {
  for (const { verb, name } of steps) {
    const clients = verb === "remove export" ? host.clientCount(name) : 0;
    if (clients === 0) continue;
    const wish = to.exports.has(name) ? "changed" : "removed";
    const users = clients === 1 ? "a client uses it" : `${String(clients)} clients use it`;
    const message = `export ${JSON.stringify(name)} cannot be ${wish}: ${users}`;
    throw errorAtName(to.source, ["exports", name], message);
  }
}

async function take(
  { verb, name }: ReloadStep,
  context: ReloadContext,
  undo: UndoList,
): Promise<void> {
  const { from, to, parts } = context;
  const { mapper } = parts;
  switch (verb) {
    case "open disk":
      undo.add(() => parts.closeDisk(name, true));
      await parts.openDisk(name, to);
      return;
    case "grow disk":
      await parts.growDisk(name, to);
      return;
    case "add group":
      await blame(context, ["groups", name], () => {
        parts.groups.add(name, to.groups.get(name));
      });
      undo.add(() => {
        parts.groups.remove(name);
      });
      return;
    case "suspend":
      undo.add(() => resumeIfSuspended(name, parts));
      await blame(context, ["devices", name], () =>
        parts.run(`suspend ${name}`, (task) => mapper.suspend(name, task)),
      );
      return;
    case "create":
      await parts.createDevice(name, to);
      undo.add(() => parts.run(`remove ${name}`, (task) => mapper.remove(name, task)));
      return;
    case "load":
      undo.add(() => parts.run(`clear ${name}`, (task) => mapper.clear(name, task)));
      await parts.loadDevice(name, to);
      return;
    case "check":
      refuseIfUsed(name, context);
      return;
    case "resume":
      await resume(name, context, undo);
      return;
    case "limit group":
      await blame(context, ["groups", name], () => {
        parts.groups.set(name, to.groups.get(name));
      });
      undo.add(() => {
        parts.groups.set(name, from.groups.get(name));
      });
      return;
    case "remove export":
      await removeExport(name, context, undo);
      return;
    case "add export":
      await addExport(name, context, undo);
      return;
    case "remove device":
      await removeDevice(name, context);
      return;
    case "remove group":
      await blame(context, ["groups", name], () => {
        parts.groups.remove(name);
      });
      return;
    case "close disk":
      await parts.closeDisk(name);
  }
}

async function removeDevice(name: string, context: ReloadContext): Promise<void> {
  const { parts } = context;
  if (parts.find(name) === undefined) return;
  await blame(context, ["devices", name], () =>
    parts.run(`remove ${name}`, (task) => parts.mapper.remove(name, task)),
  );
}

async function removeExport(name: string, context: ReloadContext, undo: UndoList): Promise<void> {
  const { parts, host, exports } = context;
  const before = exports.get(name);
  await blame(context, ["exports", name], () =>
    parts.run(`remove export ${name}`, (task) => host.remove(name, task)),
  );
  exports.delete(name);
  if (before !== undefined) await parts.closeExport(before);
  undo.add(async () => {
    if (before !== undefined) await addExport(name, { ...context, to: context.from }, null);
  });
}

async function addExport(
  name: string,
  context: ReloadContext,
  undo: UndoList | null,
): Promise<void> {
  const { to, parts, host, exports } = context;
  const offered = await parts.openExport(name, to);
  undo?.add(() => parts.closeExport(offered));
  await blame(context, ["exports", name], () => {
    host.add(offered);
  });
  exports.set(name, offered);
  undo?.add(() => {
    exports.delete(name);
    return parts.run(`remove export ${name}`, (task) => host.remove(name, task));
  });
}

/** A disk or device that is to go may still be used by what was made since the stack was opened. */
function refuseIfUsed(name: string, { from, to, parts, host }: ReloadContext): void {
  const { mapper, disks } = parts;
  const device = mapper.list().find((mapped) => mapped.name === name);
  const labels = new Set([name, device?.deviceNumber ?? name]);
  const isGoing = (other: string): boolean => from.devices.has(other) && !to.devices.has(other);
  const user = mapper.list().find((other) => {
    if (other.name === name || isGoing(other.name)) return false;
    const { hasInactiveTable } = mapper.info(other.name);
    const which = hasInactiveTable ? "inactive" : "live";
    return mapper.deps(other.name, which).some((label) => labels.has(label));
  });
  const exported = host.exportsOf(name).find((other) => !from.exports.has(other));
  if (user === undefined && exported === undefined) return;
  const [kind, section] = disks.has(name) ? ["disk", "disks"] : ["device", "devices"];
  const why =
    user === undefined
      ? `it is exported as ${JSON.stringify(exported)}`
      : `${JSON.stringify(user.name)} stands on it`;
  const message = `${kind} ${JSON.stringify(name)} cannot be removed: ${why}`;
  throw errorAtName(to.source, [section, name], message);
}

async function resumeIfSuspended(name: string, parts: OpenParts): Promise<void> {
  const { mapper } = parts;
  if (!mapper.info(name).isSuspended) return;
  await parts.run(`resume ${name}`, (task) => mapper.resume(name, task));
}

/** Goes live with the loaded table, if there is one; the undoing of that, with the one before. */
async function resume(name: string, { to, parts }: ReloadContext, undo: UndoList): Promise<void> {
  const { mapper } = parts;
  if (mapper.info(name).hasInactiveTable) {
    const text = mapper.table(name).join("\n");
    const { isReadOnly } = mapper.get(name);
    undo.add(() =>
      parts.run(`restore ${name}`, async (task) => {
        await mapper.load(name, text, task, { isReadOnly });
        await mapper.resume(name, task);
      }),
    );
  }
  await parts.resumeDevice(name, to);
}

async function blame({ to }: ReloadContext, part: PartPath, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw error instanceof BlockError ? complaintOf(error, to.source, part) : error;
  }
}
