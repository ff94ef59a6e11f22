export { formatIoMax, formatLimits, parseIoMax, parseLimits } from "./io-max.ts";
export { type GroupLimits, LIMIT_MIN, LIMIT_NAMES, NO_LIMITS } from "./limits.ts";
export { SLICE_MS } from "./slice.ts";
export { type Accounting, countsWhenCharged } from "./accounting.ts";
export { type ChooseGroup, type GroupLookup, ownGroupOrRoot } from "./choose-group.ts";
export { Throttle } from "./throttle.ts";
export type { GroupOptions, ThrottleOptions } from "./throttle-options.ts";
export { ThrottledDevice } from "./throttled-device.ts";
export { type PortOwner, ThrottlePort } from "./throttle-port.ts";
