import { Bio } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { endClone } from "./clone-end.ts";
import { DmIo } from "./dm-io.ts";
import { TargetIo } from "./target-io.ts";

it("a clone cannot end that has no account, or was given to no target", async () => {
  const bench = new Bench();
  await bench.create("md", "0 8 probe a 0");
  const target = bench.dm.get("md").live?.table.entries[0] ?? null;
  expect(target).not.toBeNull();
  for (const given of [{ target }, { io: new DmIo() }]) {
    const clone = new Bio(null, Object.assign(new TargetIo(null), given));
    expect(() => {
      endClone(clone);
    }).toThrow("a clone ended that was not mapped");
  }
});
