import type { BlockDevice } from "@blkstack/block";

/** How tables name a device: `253:0` when it says its `deviceNumber`, else its name. */
export function deviceLabel(device: BlockDevice & { readonly deviceNumber?: unknown }): string {
  return typeof device.deviceNumber === "string" ? device.deviceNumber : device.name;
}

/** How a kernel's log names a device: mapped devices by their number, `dm-0`. */
export function kernelName(device: BlockDevice & { readonly kernelName?: unknown }): string {
  return typeof device.kernelName === "string" ? device.kernelName : device.name;
}
