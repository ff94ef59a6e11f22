export { failSectors, type Faults, type SectorFault } from "./faults.ts";
export { NullDisk, type NullDiskOptions } from "./null-disk.ts";
export { RamDisk, type RamDiskOptions } from "./ram-disk.ts";
export type { SparseStore } from "./sparse-store.ts";
export type { WriteCache } from "./write-cache.ts";
