import type { Bytes } from "@blkstack/bio";

/** The commands that a `ScsiDisk` knows. */
export const Opcode = {
  TestUnitReady: 0x00,
  RequestSense: 0x03,
  Inquiry: 0x12,
  ModeSense6: 0x1a,
  ReadCapacity10: 0x25,
  Read10: 0x28,
  Write10: 0x2a,
  SynchronizeCache10: 0x35,
  Unmap: 0x42,
  ModeSense10: 0x5a,
  Read16: 0x88,
  Write16: 0x8a,
  SynchronizeCache16: 0x91,
  WriteSame16: 0x93,
  /** READ CAPACITY(16) is one of its service actions. */
  ServiceActionIn16: 0x9e,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

const CDB_BYTES_OF_GROUP: readonly Bytes[] = [6, 10, 10, 0, 16, 12, 0, 0];

/** How long the CDB of an opcode is, which the opcode's first three bits say. 0: nobody knows. */
export function cdbBytes(opcode: number): Bytes {
  return CDB_BYTES_OF_GROUP[opcode >>> 5] ?? 0;
}
