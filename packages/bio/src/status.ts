/** How a bio ended. Travels in `bio.status`; the first error that a chain sees is the one it keeps. */
export const BioStatus = {
  Ok: 0,
  NotSupported: 1,
  Timeout: 2,
  NoSpace: 3,
  Transport: 4,
  Target: 5,
  Nexus: 6,
  Medium: 7,
  Protection: 8,
  Resource: 9,
  IoError: 10,
  /** Only between device-mapper and its targets: push back. No submitter ever sees it. */
  DmRequeue: 11,
  Again: 12,
  DeviceResource: 13,
  /** A write to something read-only. */
  ReadOnly: 14,
} as const;
export type BioStatus = (typeof BioStatus)[keyof typeof BioStatus];

const ERRNO_OF_STATUS: readonly (readonly [BioStatus, string, number])[] = [
  [BioStatus.Ok, "OK", 0],
  [BioStatus.NotSupported, "EOPNOTSUPP", -95],
  [BioStatus.Timeout, "ETIMEDOUT", -110],
  [BioStatus.NoSpace, "ENOSPC", -28],
  [BioStatus.Transport, "ENOLINK", -67],
  [BioStatus.Target, "EREMOTEIO", -121],
  [BioStatus.Nexus, "EBADE", -52],
  [BioStatus.Medium, "ENODATA", -61],
  [BioStatus.Protection, "EILSEQ", -84],
  [BioStatus.Resource, "ENOMEM", -12],
  [BioStatus.IoError, "EIO", -5],
  [BioStatus.DmRequeue, "EREMCHG", -78],
  [BioStatus.Again, "EAGAIN", -11],
  [BioStatus.DeviceResource, "EBUSY", -16],
  [BioStatus.ReadOnly, "EROFS", -30],
];

/** The negative errno of a status: `statusToErrno(BioStatus.IoError)` is -5. */
export function statusToErrno(status: BioStatus): number {
  return ERRNO_OF_STATUS[status]?.[2] ?? -5;
}

/** The status of a negative errno; an errno that no status stands for is an I/O error. */
export function errnoToStatus(errno: number): BioStatus {
  return ERRNO_OF_STATUS.find(([, , known]) => known === errno)?.[0] ?? BioStatus.IoError;
}

/** The name of the errno that a status stands for: `EIO`. */
export function statusName(status: BioStatus): string {
  return ERRNO_OF_STATUS[status]?.[1] ?? "EIO";
}
