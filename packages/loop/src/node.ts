export type { Files, HolePuncher } from "./node/files.ts";
export { NodeFile } from "./node/node-file.ts";
export { openBackingFile, type OpenFile, type OpenFileOptions } from "./node/open-file.ts";
