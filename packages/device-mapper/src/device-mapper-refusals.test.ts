import type { Task } from "@blkstack/task";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import type { DeviceMapper } from "./device-mapper.ts";

const table = "0 16 probe a 0";

/** An open device `md` with a uuid and a table, and `bare`, which has neither. */
async function opened(): Promise<Bench> {
  const bench = new Bench();
  await bench.perform(async (task) => {
    await bench.dm.create("md", task, { table, uuid: "U-1" });
    await bench.dm.create("bare", task);
  });
  bench.dm.open("md");
  return bench;
}

type Command = (dm: DeviceMapper, task: Task) => unknown;

const REFUSALS: readonly (readonly [what: string, Command, errno: string, message: string])[] = [
  ["what nobody is called", (dm) => dm.get("none"), "ENXIO", 'there is no mapped device "none"'],
  [
    "a second device of a name",
    (dm, task) => dm.create("md", task),
    "EBUSY",
    'there already is a mapped device "md"',
  ],
  [
    "a second device of a uuid",
    (dm, task) => dm.create("other", task, { uuid: "U-1" }),
    "EBUSY",
    'mapped device "md" has the uuid "U-1"',
  ],
  [
    "another uuid",
    (dm) => {
      dm.setUuid("md", "U-2");
    },
    "EINVAL",
    'mapped device "md" has the uuid "U-1" for good',
  ],
  [
    "a uuid of no bytes",
    (dm) => {
      dm.setUuid("bare", "");
    },
    "EINVAL",
    "a uuid takes 1 to 128 bytes, not 0",
  ],
  [
    "to remove what is open",
    (dm, task) => dm.remove("md", task),
    "EBUSY",
    'mapped device "md" is open 1 times',
  ],
  [
    "a message behind the last target",
    (dm, task) => dm.message("md", 16, ["hi"], task),
    "EINVAL",
    'nobody at sector 16 of "md" takes that message',
  ],
  [
    "a message to a device without targets",
    (dm, task) => dm.message("bare", 0, ["hi"], task),
    "EINVAL",
    'nobody at sector 0 of "bare" takes that message',
  ],
  [
    "a message of no words",
    (dm, task) => dm.message("md", 3, [], task),
    "EINVAL",
    'nobody at sector 3 of "md" takes that message',
  ],
  [
    "a message to the device that it does not know",
    (dm, task) => dm.message("md", 0, ["@cancel_deferred_remove", "now"], task),
    "EINVAL",
    'nobody at sector 0 of "md" takes that message',
  ],
];

it.each(REFUSALS)("refused in words: %s", async (_what, command, errno, message) => {
  const { dm, scheduler } = await opened();
  const before = dm.list().map(({ name }) => dm.info(name));
  const refusal: unknown = await scheduler.perform("commands", async (task) => {
    try {
      await command(dm, task);
    } catch (error) {
      return error;
    }
    return expect.unreachable("it was not refused");
  });
  expect(refusal).toMatchObject({ code: "BLK_STATE", errno, message });
  expect(dm.list().map(({ name }) => dm.info(name))).toEqual(before);
  expect(dm.table("md")).toEqual(["0 16 probe 7:0 0"]);
});

it("a removal that is to wait for the last close is called off by one word alone", async () => {
  const bench = await opened();
  await bench.perform(async (task) => {
    await bench.dm.remove("md", task, { deferred: true });
    const words = ["@cancel_deferred_remove", "now"];
    await expect(bench.dm.message("md", 0, words, task)).rejects.toThrow("nobody");
    expect(bench.dm.info("md").isRemovedAtClose).toBe(true);
    await bench.dm.message("md", 0, words.slice(0, 1), task);
  });
  expect(bench.dm.info("md").isRemovedAtClose).toBe(false);
});
