export { FileDisk, type FileDiskOptions } from "./file-disk.ts";
export type { Files, HolePuncher, Moved } from "./files.ts";
export type { ImageOptions } from "./open-image.ts";
