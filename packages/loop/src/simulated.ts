export { SimulatedFilesystem, type SimulatedFilesystemOptions } from "./simulated/filesystem.ts";
export type { PageAccount } from "./simulated/pages.ts";
export { RamFile, type RamFileOptions } from "./simulated/ram-file.ts";
export { SimulatedFile, type SimulatedFileOptions } from "./simulated/simulated-file.ts";
