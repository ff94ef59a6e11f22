export { CopyRecord } from "./copy-record.ts";
export { Request } from "./request.ts";
export {
  type BioHeap,
  type Bouncer,
  type MapErrno,
  RequestMapper,
  type RequestMapperOptions,
} from "./request-mapper.ts";
export { transferKernSg, type Transfer } from "./transfer.ts";
export { cutList, type SgEntry, type SgList, totalBytes } from "./sg-list.ts";
