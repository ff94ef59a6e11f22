export { BenchDisk, type BenchDiskOptions } from "./bench-disk.ts";
export { DiskRig, type DiskRigOptions, type RigParts } from "./disk-rig.ts";
export { LateDisk, type LateDiskOptions } from "./late-disk.ts";
export {
  type BioContents,
  bioFor,
  type Destination,
  firstBytes,
  type Range,
  type SentBio,
} from "./sent-bio.ts";
export {
  answers,
  fails,
  keeps,
  type KeepsOptions,
  type MakeModel,
  type Model,
  type ModelAnswer,
  type ModelRequest,
  type ModelSetting,
  type Place,
  type PlaceOf,
  readsZeroes,
  remaps,
  type RemapsOptions,
} from "./suite/model.ts";
export { registerSuite, type TestRunner } from "./suite/register.ts";
export { BrokenRuleError, type Rule, RULE_NAMES, type RuleName } from "./suite/rule.ts";
export type {
  Exceptions,
  InvalidTable,
  OptionalOp,
  SuiteOptions,
  TargetClaims,
  ValidTable,
} from "./suite/suite-options.ts";
export { targetSuite } from "./suite/target-suite.ts";
export { TargetBench } from "./target-bench.ts";
export { TargetRig, type TargetRigOptions } from "./target-rig.ts";
