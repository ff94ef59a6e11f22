import { error } from "@blkstack/dm-error";
import { zero } from "@blkstack/dm-zero";
import { fails, type MakeModel, readsZeroes } from "@blkstack/conformance";
import fc from "fast-check";
import type { LineModel, LineSetting, StackPart } from "../stack-part.ts";

const bare = fc.constant({ needs: () => [], words: () => [] });

export const zeroPart: StackPart = {
  name: "zero",
  type: zero,
  takes: [],
  isSolid: false,
  lines: bare,
  model: (setting) => ofNoDisk(readsZeroes(), setting),
};

export const errorPart: StackPart = {
  name: "error",
  type: error,
  takes: [],
  isSolid: false,
  lines: bare,
  model: (setting) => ofNoDisk(fails(), setting),
};

function ofNoDisk(make: MakeModel, { begin, sizeSectors }: LineSetting): LineModel {
  return make({ begin, sizeSectors, disks: new Map() });
}
