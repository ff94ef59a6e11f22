export { BenchDisk, type BenchDiskOptions } from "./bench-disk.ts";
export { DiskRig, type DiskRigOptions, type RigParts } from "./disk-rig.ts";
export {
  type BioContents,
  bioFor,
  type Destination,
  firstBytes,
  type Range,
  type SentBio,
} from "./sent-bio.ts";
export { TargetBench } from "./target-bench.ts";
export { TargetRig, type TargetRigOptions } from "./target-rig.ts";
