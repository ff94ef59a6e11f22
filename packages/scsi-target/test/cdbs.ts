import { Opcode } from "../src/index.ts";

/** What a CDB of 10 or 16 bytes says besides its opcode. */
export interface Wish {
  readonly lba?: number;
  readonly blocks?: number;
  /** The second byte. */
  readonly flags?: number;
}

export const FUA = 0x08;
export const UNMAP = 0x08;
export const NDOB = 0x01;

export function cdb6(opcode: number, bytes: Readonly<Record<number, number>> = {}): Uint8Array {
  return withBytes(new Uint8Array(6), opcode, bytes);
}

export function cdb10(opcode: number, { lba = 0, blocks = 0, flags = 0 }: Wish = {}): Uint8Array {
  const cdb = withBytes(new Uint8Array(10), opcode, { 1: flags });
  const view = new DataView(cdb.buffer);
  view.setUint32(2, lba);
  view.setUint16(7, blocks);
  return cdb;
}

export function cdb16(opcode: number, { lba = 0, blocks = 0, flags = 0 }: Wish = {}): Uint8Array {
  const cdb = withBytes(new Uint8Array(16), opcode, { 1: flags });
  const view = new DataView(cdb.buffer);
  view.setBigUint64(2, BigInt(lba));
  view.setUint32(10, blocks);
  return cdb;
}

export function readCapacity16(allocationBytes: number): Uint8Array {
  return cdb16(Opcode.ServiceActionIn16, { blocks: allocationBytes, flags: 0x10 });
}

/** The parameters of an UNMAP. */
export function unmapList(
  ...extents: readonly (readonly [lba: number, blocks: number])[]
): Uint8Array {
  const bytes = new Uint8Array(8 + 16 * extents.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length - 2);
  view.setUint16(2, bytes.length - 8);
  for (const [index, [lba, blocks]] of extents.entries()) {
    view.setBigUint64(8 + 16 * index, BigInt(lba));
    view.setUint32(16 + 16 * index, blocks);
  }
  return bytes;
}

/** An UNMAP with so many bytes of parameters. */
export function unmap(parameterBytes: number, flags = 0): Uint8Array {
  return cdb10(Opcode.Unmap, { blocks: parameterBytes, flags });
}

function withBytes(
  cdb: Uint8Array,
  opcode: number,
  bytes: Readonly<Record<number, number>>,
): Uint8Array {
  cdb[0] = opcode;
  for (const [at, value] of Object.entries(bytes)) cdb[Number(at)] = value;
  return cdb;
}
