export { throttle } from "./throttle-target.ts";
