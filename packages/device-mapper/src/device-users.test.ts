import { BlockError } from "@blkstack/block";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { type DeviceUser, DeviceUsers } from "./device-users.ts";

/** Users that note in `seen` when they are asked. */
function usersOf(names: readonly string[], refuses?: string) {
  const users = new DeviceUsers();
  const seen: string[] = [];
  const userOf = (name: string): DeviceUser => ({
    onFreeze: () => {
      if (name === refuses) throw new BlockError("BLK_STATE", "EIO", `${name} cannot`);
      seen.push(`${name} freezes`);
    },
    onThaw: () => void seen.push(`${name} thaws`),
  });
  return { users, seen, leave: names.map((name) => users.add(userOf(name))) };
}

it("who leaves twice leaves once, and takes nobody along", async () => {
  const { users, seen, leave } = usersOf(["low", "high"]);
  leave[0]?.();
  leave[0]?.();
  await new VirtualScheduler().perform("suspend", (task) => users.freeze(task));
  expect(seen).toEqual(["high freezes"]);
});

it("who stands below one that refuses is not asked; who froze before thaws, once", async () => {
  const { users, seen } = usersOf(["low", "middle", "high"], "middle");
  await new VirtualScheduler().perform("suspend", async (task) => {
    await expect(users.freeze(task)).rejects.toThrow("middle cannot");
    await users.thaw(task);
    await users.thaw(task);
  });
  expect(seen).toEqual(["high freezes", "high thaws"]);
});

it("who has left while it was frozen may still go on", async () => {
  const { users, seen, leave } = usersOf(["low", "high"]);
  await new VirtualScheduler().perform("suspend", async (task) => {
    await users.freeze(task);
    leave[1]?.();
    await users.thaw(task);
  });
  expect(seen).toEqual(["high freezes", "low freezes", "low thaws", "high thaws"]);
});
