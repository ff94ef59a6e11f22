export type {
  DiskDescription,
  ExportDescription,
  FileDiskDescription,
  GroupDescription,
  LoopDiskDescription,
  NbdDiskDescription,
  RamDiskDescription,
  StackDescription,
} from "./description.ts";
export { describeStack } from "./describe-stack.ts";
export type { DiskKinds, DiskOpener, DiskRequest, OpenDisk } from "./disk-kinds.ts";
export { GroupMember } from "./group-member.ts";
export type { StatFormat } from "@blkstack/cfq";
export type { OpenStackOptions } from "./open-parts.ts";
export { openStack } from "./open-stack.ts";
export { parseStack } from "./parse-stack.ts";
export { planReload, type ReloadStep } from "./reload-plan.ts";
export type { ExportHost } from "./reload-stack.ts";
export { STACK_SCHEMA } from "./schema.ts";
export { runInTask } from "./run-in-task.ts";
export { formatSize, parseSize } from "./size.ts";
export { Stack, type StackExport } from "./stack.ts";
export { type GroupReport, type GroupShareReport, StackGroups } from "./stack-groups.ts";
export { StackError } from "./stack-error.ts";
export { NO_FILE, type PartPath, type Position, type StackSource } from "./stack-source.ts";
