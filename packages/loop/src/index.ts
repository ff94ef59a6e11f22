export type { BackingFile, FileRange } from "./backing-file.ts";
export type { LoopBinding } from "./binding.ts";
export { DeviceFile, type DeviceFileOptions } from "./device-file.ts";
export { LoopDevice, type LoopDeviceOptions } from "./loop-device.ts";
