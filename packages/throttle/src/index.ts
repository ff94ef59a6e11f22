export { formatIoMax, formatLimits, parseIoMax, parseLimits } from "./io-max.ts";
export { type GroupLimits, LIMIT_MIN, LIMIT_NAMES, NO_LIMITS } from "./limits.ts";
export { SLICE_MS } from "./slice.ts";
export { type GroupOptions, Throttle, type ThrottleOptions } from "./throttle.ts";
export { ThrottledDevice } from "./throttled-device.ts";
export { type PortOwner, ThrottlePort } from "./throttle-port.ts";
