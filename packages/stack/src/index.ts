export type {
  DiskDescription,
  ExportDescription,
  FileDiskDescription,
  GroupDescription,
  LoopDiskDescription,
  RamDiskDescription,
  StackDescription,
} from "./description.ts";
export { describeStack } from "./describe-stack.ts";
export type { DiskKinds, DiskOpener, DiskRequest, OpenDisk } from "./disk-kinds.ts";
export { openStack, type OpenStackOptions } from "./open-stack.ts";
export { parseStack } from "./parse-stack.ts";
export { STACK_SCHEMA } from "./schema.ts";
export { runInTask } from "./run-in-task.ts";
export { formatSize, parseSize } from "./size.ts";
export { Stack, type StackExport } from "./stack.ts";
export { StackError } from "./stack-error.ts";
export { NO_FILE, type PartPath, type Position, type StackSource } from "./stack-source.ts";
