export type { FaultInjection, ReadOnlyPolicy } from "./checks.ts";
export type { SetsOfDevices, SplitSet, SplitSets } from "./limit-splitter.ts";
export { MakeRequest, type MakeRequestOptions } from "./make-request.ts";
export { SplitSetPerDevice, type SplitSetPerDeviceOptions } from "./split-set-per-device.ts";
export { submitAndWait } from "./submit-and-wait.ts";
export { fifo, lowerFirst, type SubmitOrder } from "./submit-order.ts";
