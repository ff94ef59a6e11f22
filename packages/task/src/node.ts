export { EventLoopScheduler, type EventLoopSchedulerOptions } from "./node-event-loop.ts";
