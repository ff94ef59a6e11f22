export type { ScsiAnswer } from "./answer.ts";
export type { ScsiIdentity } from "./identity.ts";
export { Opcode } from "./opcode.ts";
export { ScsiDisk, type ScsiDiskOptions, type ScsiCommand } from "./scsi-disk.ts";
export { ScsiStatus, SenseKey } from "./sense.ts";
