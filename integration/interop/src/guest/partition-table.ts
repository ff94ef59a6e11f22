const ENTRIES_AT = 446;
const ENTRY_BYTES = 16;
const LINUX = 0x83;

interface Partition {
  readonly sector: number;
  readonly sectors: number;
}

export const PARTITIONS: readonly Partition[] = [
  { sector: 2048, sectors: 20_480 },
  { sector: 40_960, sectors: 30_720 },
];

/** An empty disk of so many bytes, with these partitions in its master boot record. */
export function partitionTable(bytes: number): Buffer {
  const disk = Buffer.alloc(bytes);
  for (const [index, { sector, sectors }] of PARTITIONS.entries()) {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    disk.writeUInt8(LINUX, at + 4);
    disk.writeUInt32LE(sector, at + 8);
    disk.writeUInt32LE(sectors, at + 12);
  }
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}
