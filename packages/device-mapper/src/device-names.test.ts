import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { checkDeviceName, checkUuid } from "./device-names.ts";

/** Characters at the ends of what one, two, three and four bytes of UTF-8 can say. */
const CHARACTERS = [
  ["U+007F", 1],
  ["U+0080", 2],
  ["U+07FF", 2],
  ["U+0800", 3],
  ["U+FFFF", 3],
  ["U+10000", 4],
  ["U+10FFFF", 4],
] as const;

describe.each(CHARACTERS)("of %s, which takes %i bytes,", (point, bytes) => {
  const character = String.fromCodePoint(Number.parseInt(point.slice(2), 16));

  it("as many as 127 bytes take make a name, and one more does not", () => {
    const most = character.repeat(Math.floor(127 / bytes));
    expect(() => {
      checkDeviceName(most);
    }).not.toThrow();
    expect(() => {
      checkDeviceName(most + character);
    }).toThrow(`device name "${most}${character}" is over 127 bytes`);
  });

  it("as many as 128 bytes take make a uuid, and one more does not", () => {
    const count = Math.floor(128 / bytes);
    expect(() => {
      checkUuid(character.repeat(count));
    }).not.toThrow();
    expect(() => {
      checkUuid(character.repeat(count + 1));
    }).toThrow(`a uuid takes 1 to 128 bytes, not ${String((count + 1) * bytes)}`);
  });
});

it.each([
  ["a/b", 'device name "a/b" contains "/"'],
  ["", 'device name "" is empty'],
])("a name like %j is refused in words", (name, message) => {
  let refusal: unknown = null;
  try {
    checkDeviceName(name);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: "BLK_STATE", errno: "EINVAL", message });
});

describe("tables name a mapped device", () => {
  it.each(["low", "/dev/mapper/low", "253:1"])("by %s", async (text) => {
    const bench = new Bench();
    await bench.create("first", "0 8 probe a 0");
    await bench.create("low", "0 8 probe a 0");
    await bench.create("high", `0 8 probe ${text} 0`);
    expect(bench.dm.info("low").openCount).toBe(1);
  });

  it("by no path that has the directory of mapped devices further behind", async () => {
    const bench = new Bench();
    await bench.create("low", "0 8 probe a 0");
    const created = bench.create("high", "0 8 probe l/dev/mapper/ow 0");
    await expect(created).rejects.toMatchObject({ errno: "ENODEV" });
  });
});

it("a disk that is called like a mapped device is another device", async () => {
  const bench = new Bench();
  await bench.create("low", "0 8 probe a 0");
  bench.disks.set("disk", Object.assign(bench.b, { name: "low" }));
  await bench.create("high", "0 8 probe disk 0");
  await bench.perform((task) => bench.dm.remove("high", task));
  expect(bench.dm.info("low").openCount).toBe(0);
});

it("a minor number that is taken is refused, and any other that is asked for is given", async () => {
  const bench = new Bench();
  await bench.perform(async (task) => {
    await bench.dm.create("x", task, { minor: 3 });
    await expect(bench.dm.create("y", task, { minor: 3 })).rejects.toMatchObject({
      code: "BLK_STATE",
      errno: "EBUSY",
      message: "minor number 3 is taken",
    });
    await bench.dm.create("y", task, { minor: 2 });
    await bench.dm.create("z", task);
  });
  expect(bench.dm.list().map(({ deviceNumber }) => deviceNumber)).toEqual([
    "253:3",
    "253:2",
    "253:0",
  ]);
});

it("devices are listed by name, not in the order that they were made in", async () => {
  const bench = new Bench();
  await bench.perform(async (task) => {
    for (const name of ["m", "z", "a", "k"]) await bench.dm.create(name, task);
  });
  expect(bench.dm.list().map(({ name }) => name)).toEqual(["a", "k", "m", "z"]);
});
