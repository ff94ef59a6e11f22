export type { ByteRange, FileCalls, RangeDone } from "./file-calls.ts";
export { loadFileCalls, loadSocketCalls } from "./load.ts";
export type { SocketCalls } from "./socket-calls.ts";
