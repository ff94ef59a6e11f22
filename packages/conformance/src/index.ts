export { BenchDisk, type BenchDiskOptions } from "./bench-disk.ts";
export {
  type BioContents,
  bioFor,
  type Destination,
  firstBytes,
  type Range,
  type SentBio,
} from "./sent-bio.ts";
export { TargetBench } from "./target-bench.ts";
export { type RigParts, TargetRig, type TargetRigOptions } from "./target-rig.ts";
