/** A count of 512-byte sectors, or the number of one. Safe up to 2^53, that is 4 ZiB. */
export type Sectors = number;

/** A count of bytes, or an offset in bytes. */
export type Bytes = number;

/** A sector is 512 bytes whatever the logical block size of the device. */
export const SECTOR_BYTES = 512;

/**
 * `sizeBytes >>> SECTOR_SHIFT` counts the sectors of a bio: a size is below 4 GiB, so a shift is
 * right, and on the hot path it is cheaper than a division. Never shift an offset.
 */
export const SECTOR_SHIFT = 9;

/** The size of one page of memory. A `Page` may be several of these, one behind the other. */
export const PAGE_BYTES = 4096;

/** The most vectors one bio may have: 1 MiB of single pages. */
export const BIO_MAX_VECS = 256;

/** A bio with so few vectors brings the room for them along. */
export const BIO_INLINE_VECS = 4;
