/** How a command ended: the byte that SCSI calls its status. */
export const ScsiStatus = {
  Good: 0x00,
  /** Sense data says what is wrong. */
  CheckCondition: 0x02,
  /** There was no memory for it: to be tried again later. */
  Busy: 0x08,
} as const;
export type ScsiStatus = (typeof ScsiStatus)[keyof typeof ScsiStatus];

/** What kind of thing is wrong. */
export const SenseKey = {
  NoSense: 0x0,
  NotReady: 0x2,
  MediumError: 0x3,
  HardwareError: 0x4,
  IllegalRequest: 0x5,
  DataProtect: 0x7,
  AbortedCommand: 0xb,
} as const;
export type SenseKey = (typeof SenseKey)[keyof typeof SenseKey];

/** What is wrong, as SCSI numbers it. */
export interface Sense {
  readonly key: SenseKey;
  /** The additional sense code, and in its low byte the qualifier: 0x2100. */
  readonly code: number;
  /** The first byte of the CDB, or of the parameters, that is wrong. */
  readonly field?: { readonly of: "cdb" | "parameters"; readonly byte: number };
}

const { IllegalRequest } = SenseKey;

/** Nothing is wrong. */
export const NO_SENSE: Sense = { key: SenseKey.NoSense, code: 0 };
/** The device has no block at all. */
export const NO_MEDIUM: Sense = { key: SenseKey.NotReady, code: 0x3a00 };
/** The scatter list names memory that is none. */
export const BAD_MEMORY: Sense = { key: SenseKey.AbortedCommand, code: 0x4b00 };
export const WRITE_PROTECTED: Sense = { key: SenseKey.DataProtect, code: 0x2700 };
export const UNKNOWN_OPCODE: Sense = inCdb(0, 0x2000);
export const BAD_LIST_LENGTH: Sense = { key: IllegalRequest, code: 0x1a00 };
export const NO_SAVED_PAGES: Sense = inCdb(2, 0x3900);

/** A range that is not all on the medium. */
export function beyondEnd(field: NonNullable<Sense["field"]>): Sense {
  return { key: IllegalRequest, code: 0x2100, field };
}

/** A field of the CDB that asks for what there is not. */
export function badField(byte: number): Sense {
  return inCdb(byte, 0x2400);
}

/** A field of the parameters, which came as data, that says what cannot be. */
export function badParameter(byte: number): Sense {
  return { key: IllegalRequest, code: 0x2600, field: { of: "parameters", byte } };
}

/** How long fixed-format sense data is. */
const SENSE_BYTES = 18;

/** Sense data in fixed format. */
export function senseData({ key, code, field }: Sense): Uint8Array {
  const bytes = new Uint8Array(SENSE_BYTES);
  bytes[0] = 0x70;
  bytes[2] = key;
  bytes[7] = SENSE_BYTES - 8;
  bytes[12] = code >>> 8;
  bytes[13] = code & 0xff;
  if (field !== undefined) {
    bytes[15] = field.of === "cdb" ? 0xc0 : 0x80;
    bytes[16] = field.byte >>> 8;
    bytes[17] = field.byte & 0xff;
  }
  return bytes;
}

function inCdb(byte: number, code: number): Sense {
  return { key: IllegalRequest, code, field: { of: "cdb", byte } };
}
