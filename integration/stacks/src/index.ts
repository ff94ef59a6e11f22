export {
  type DeviceLayout,
  type DiskLayout,
  type Layout,
  layoutText,
  type LineLayout,
} from "./layout.ts";
export { STACK_PARTS } from "./parts/index.ts";
export { type ModelPlace, remapped, shifted } from "./parts/remapped.ts";
export { onRange } from "./parts/words.ts";
export { registerStacks } from "./register.ts";
export { runStackFile, type RunStackFileOptions } from "./run-stack-file.ts";
export {
  assertSameAsModel,
  runStacks,
  type RunStacksOptions,
  type StackFailure,
  type StacksReport,
  type StackSums,
  type StackWorld,
} from "./run-stacks.ts";
export type {
  Below,
  BesideLine,
  LineModel,
  LinePlace,
  LineSetting,
  ModelDevice,
  Need,
  StackLine,
  StackPart,
} from "./stack-part.ts";
