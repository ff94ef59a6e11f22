import { BioStatus } from "@blkstack/bio";

/** Writes that the filesystem has no room for, or no permission; everything else is an I/O error. */
const STATUS_OF_CODE: Readonly<Record<string, BioStatus>> = {
  ENOSPC: BioStatus.NoSpace,
  EDQUOT: BioStatus.NoSpace,
  EFBIG: BioStatus.NoSpace,
  EROFS: BioStatus.ReadOnly,
  EPERM: BioStatus.ReadOnly,
  EACCES: BioStatus.ReadOnly,
  ENOMEM: BioStatus.Resource,
  EAGAIN: BioStatus.Again,
  EOPNOTSUPP: BioStatus.NotSupported,
  ENOTSUP: BioStatus.NotSupported,
};

/** The status of what a call of `node:fs` failed with. */
export function statusOfError(error: unknown): BioStatus {
  return STATUS_OF_CODE[errorCode(error)] ?? BioStatus.IoError;
}

/** The name of the errno, or an empty text when the error brings none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
