export { CfqClient, type CfqClientOptions } from "./cfq-client.ts";
export { CfqQueue, type CfqQueueOptions } from "./cfq-queue.ts";
export type { CfqStatistics } from "./group-table.ts";
export type { StatFormat } from "./stat-text.ts";
export type { Jiffies } from "./timing.ts";
export type { ChargePolicy } from "./turn.ts";
export { WEIGHT_DEFAULT } from "./weight.ts";
