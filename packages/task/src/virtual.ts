export {
  type PendingInterrupt,
  VirtualScheduler,
  type VirtualSchedulerOptions,
} from "./virtual-scheduler.ts";
