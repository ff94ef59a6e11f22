import { Fields } from "./fields.ts";
import { UNMAP_DESCRIPTORS_MAX } from "./inquiry.ts";
import type { Extent, Medium } from "./medium.ts";
import { BAD_LIST_LENGTH, badParameter, beyondEnd, type Sense } from "./sense.ts";

const HEADER_BYTES = 8;
const DESCRIPTOR_BYTES = 16;

/** What an UNMAP names, if all of it is on the medium; else what is wrong with its parameters. */
export function parseUnmapList(parameters: Uint8Array, medium: Medium): Extent[] | Sense {
  if (parameters.length < HEADER_BYTES) return BAD_LIST_LENGTH;
  const fields = new Fields(parameters);
  const descriptorBytes = fields.uint16(2);
  if (fields.uint16(0) < descriptorBytes + HEADER_BYTES - 2) return badParameter(0);
  if (HEADER_BYTES + descriptorBytes > parameters.length) return BAD_LIST_LENGTH;
  const count = Math.floor(descriptorBytes / DESCRIPTOR_BYTES);
  if (count > UNMAP_DESCRIPTORS_MAX) return badParameter(2);
  const extents: Extent[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = HEADER_BYTES + index * DESCRIPTOR_BYTES;
    const extent = { lba: fields.uint64(at), blocks: fields.uint32(at + 8) };
    if (!medium.has(extent)) return beyondEnd({ of: "parameters", byte: at });
    extents.push(extent);
  }
  return extents;
}
