import { Bio } from "@blkstack/bio";
import { expect, it } from "vitest";
import { endClone } from "./clone-end.ts";
import { DmIo } from "./dm-io.ts";
import { TargetIo } from "./target-io.ts";

it.each([null, new DmIo()])("a clone that was given to no target cannot end (%o)", (io) => {
  const tio = new TargetIo(null);
  tio.io = io;
  const clone = new Bio(null, tio);
  expect(() => {
    endClone(clone);
  }).toThrow("a clone ended that was not mapped");
});
