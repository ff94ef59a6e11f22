export type { ByteRange, FileCalls, RangeDone } from "./file-calls.ts";
export { loadFileCalls } from "./load.ts";
