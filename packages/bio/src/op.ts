/** What a bio asks of its device. An odd number moves data, or the wish of it, towards the device. */
export const BioOp = {
  Read: 0,
  Write: 1,
  Flush: 2,
  Discard: 3,
  SecureErase: 5,
  ZoneAppend: 7,
  WriteZeroes: 9,
  ZoneOpen: 10,
  ZoneClose: 11,
  ZoneFinish: 12,
  ZoneReset: 13,
  ZoneResetAll: 15,
  DriverIn: 34,
  DriverOut: 35,
} as const;
export type BioOp = (typeof BioOp)[keyof typeof BioOp];

/** How a bio wants to be treated: one bit each, in `bio.flags`. */
export const BioFlag = {
  FailfastDev: 0x100,
  FailfastTransport: 0x200,
  FailfastDriver: 0x400,
  Sync: 0x800,
  Meta: 0x1000,
  Prio: 0x2000,
  NoMerge: 0x4000,
  Idle: 0x8000,
  Integrity: 0x10000,
  /** Complete only when this bio's data is durable. */
  Fua: 0x20000,
  /** Before this bio's data moves, everything acknowledged earlier is durable. */
  Preflush: 0x40000,
  ReadAhead: 0x80000,
  Background: 0x100000,
  /** Never sleep on the way down: end with `BioStatus.Again` instead. */
  NoWait: 0x200000,
  Polled: 0x400000,
  AllocCache: 0x800000,
  Swap: 0x1000000,
  NoUnmap: 0x8000000,
} as const;

/** The flags of `bio.flags`: an or of `BioFlag` values. */
export type BioFlags = number;

const NAMES = new Map<number, string>(
  Object.entries(BioOp).map(([name, op]) => [
    op,
    name.replace(/(?<=.)[A-Z]/g, "_$&").toUpperCase(),
  ]),
);

/** The name that people know an operation by: `WRITE_ZEROES`. */
export function opName(op: BioOp): string {
  return NAMES.get(op) ?? `OP_${String(op)}`;
}

/** Whether the operation goes towards the device (everything but READ counts, FLUSH too). */
export function isWriteOp(op: BioOp): boolean {
  return op !== BioOp.Read;
}

/** Whether the operation names a range only, so that its vectors mean nothing. */
export function isDataless(op: BioOp): boolean {
  return op === BioOp.Discard || op === BioOp.SecureErase || op === BioOp.WriteZeroes;
}
