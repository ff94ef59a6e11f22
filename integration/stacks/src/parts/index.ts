import type { StackPart } from "../stack-part.ts";
import { dustPart, flakeyPart } from "./faulty.ts";
import { cachePart, logWritesPart, originPart, snapshotPart } from "./keeping.ts";
import { errorPart, zeroPart } from "./leaves.ts";
import { bouncePart, delayPart, linearPart, stripedPart, throttlePart } from "./remapping.ts";

/** All targets of this repository whose data a model can tell. */
export const STACK_PARTS: readonly StackPart[] = [
  linearPart,
  stripedPart,
  zeroPart,
  errorPart,
  delayPart,
  bouncePart,
  throttlePart,
  flakeyPart,
  dustPart,
  logWritesPart,
  cachePart,
  snapshotPart,
  originPart,
];
