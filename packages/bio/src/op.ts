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
  FailfastDev: 1 << 8,
  FailfastTransport: 1 << 9,
  FailfastDriver: 1 << 10,
  Sync: 1 << 11,
  Meta: 1 << 12,
  Prio: 1 << 13,
  NoMerge: 1 << 14,
  Idle: 1 << 15,
  Integrity: 1 << 16,
  /** Complete only when this bio's data is durable. */
  Fua: 1 << 17,
  /** Before this bio's data moves, everything acknowledged earlier is durable. */
  Preflush: 1 << 18,
  ReadAhead: 1 << 19,
  Background: 1 << 20,
  /** Never sleep on the way down: end with `BioStatus.Again` instead. */
  NoWait: 1 << 21,
  Polled: 1 << 22,
  AllocCache: 1 << 23,
  Swap: 1 << 24,
  NoUnmap: 1 << 27,
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
