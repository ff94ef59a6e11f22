/**
 * Errno names that set-up and control calls report, with the text that people know them by.
 *
 * Names, not numbers: numbers differ between systems, and these travel to people and scripts. How a
 * bio failed is not said here but by `BioStatus`, and `statusToErrno` knows its number.
 */
export const ERRNO_MESSAGES = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ENXIO: "No such device or address",
  EIO: "Input/output error",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EBADF: "Bad file descriptor",
  EEXIST: "File exists",
  ENODEV: "No such device",
  EINVAL: "Invalid argument",
  EISDIR: "Is a directory",
  EFBIG: "File too large",
  ENOSPC: "No space left on device",
  EROFS: "Read-only file system",
  ERANGE: "Numerical result out of range",
  EOVERFLOW: "Value too large for defined data type",
  EOPNOTSUPP: "Operation not supported",
  EINTR: "Interrupted system call",
} as const;

/** One of them: `EINVAL`. */
export type Errno = keyof typeof ERRNO_MESSAGES;

/**
 * What kind of mistake it was; stable, for programs to test.
 *
 * - `BLK_API_VERSION`: a target speaks another version of the contract.
 * - `BLK_TABLE`: a table, or an argument of one of its lines, is wrong.
 * - `BLK_DEVICE`: a device cannot be found, opened, or used so.
 * - `BLK_STATE`: the call does not fit the state that the device is in.
 * - `BLK_LIMITS`: limits that no device can have.
 *
 * Programs test the code, people read the message; the errno is for whoever speaks a protocol of
 * errnos, as dmsetup does.
 */
export type BlockErrorCode =
  "BLK_API_VERSION" | "BLK_TABLE" | "BLK_DEVICE" | "BLK_STATE" | "BLK_LIMITS";

/**
 * Set-up went wrong: misuse or configuration. The message names the device, line or argument.
 *
 * I/O errors are never thrown; they are statuses. A broken promise between parts of the program is
 * neither: it is an `InvariantError` of `@blkstack/bio`.
 */
export class BlockError extends Error {
  override readonly name = "BlockError";
  /** What kind of mistake; stable. */
  readonly code: BlockErrorCode;
  /** What a system call would have answered. */
  readonly errno: Errno;

  constructor(code: BlockErrorCode, errno: Errno, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.errno = errno;
  }
}
