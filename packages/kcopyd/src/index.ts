export { DmIoClient, type DmIoClientOptions } from "./dm-io.ts";
export type { IoListener, IoRequest } from "./io-record.ts";
export {
  CopyFlag,
  type CopyFlags,
  type CopyListener,
  type CopyRequest,
  type ZeroRequest,
} from "./job.ts";
export { KcopydClient, type KcopydClientOptions, type PreparedCallback } from "./kcopyd.ts";
export type { PageBuffer } from "./page-buffer.ts";
export { PageReserve, type PageSource } from "./page-reserve.ts";
export { type IoRegion, vecsOfPages } from "./region.ts";
