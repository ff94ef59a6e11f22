export {
  type CreateOptions,
  type DeviceInfo,
  DeviceMapper,
  type DeviceMapperOptions,
  type LoadOptions,
  type RemoveOptions,
  type WhichTable,
} from "./device-mapper.ts";
export type { DeviceUser } from "./device-users.ts";
export { type CloneSource, type FanOutPolicy, oneByOne, wholeSets } from "./fan-out-policy.ts";
export { type FlushPolicy, perDevice, perTarget } from "./flush-policy.ts";
export { Interruption } from "./interruption.ts";
export type { SuspendOptions } from "./life-cycle.ts";
export type { MappedDevice, PreflushError } from "./mapped-device.ts";
export { type Offload, offloadBoth, offloadCurrent } from "./offload.ts";
export { TargetRegistry } from "./registry.ts";
export { frontClone, loop, remainderClone, type SplitPolicy } from "./split-policy.ts";
export { TableError } from "./table-error.ts";
export { parseTable, type TableLine } from "./table-text.ts";
