import { expect, it } from "vitest";
import { BioStatus, errnoToStatus, statusName, statusToErrno } from "./status.ts";

it.each([
  ["Ok", "OK", 0],
  ["NotSupported", "EOPNOTSUPP", -95],
  ["Timeout", "ETIMEDOUT", -110],
  ["NoSpace", "ENOSPC", -28],
  ["Transport", "ENOLINK", -67],
  ["Target", "EREMOTEIO", -121],
  ["Nexus", "EBADE", -52],
  ["Medium", "ENODATA", -61],
  ["Protection", "EILSEQ", -84],
  ["Resource", "ENOMEM", -12],
  ["IoError", "EIO", -5],
  ["DmRequeue", "EREMCHG", -78],
  ["Again", "EAGAIN", -11],
  ["DeviceResource", "EBUSY", -16],
  ["ReadOnly", "EROFS", -30],
] as const)("%s is %s, %i, and comes back as itself", (name, errnoName, errno) => {
  const status = BioStatus[name];
  expect([statusToErrno(status), statusName(status)]).toEqual([errno, errnoName]);
  expect(errnoToStatus(errno)).toBe(status);
});

it("every status is in the table", () => {
  const statuses = Object.values(BioStatus);
  expect(statuses.map((status) => errnoToStatus(statusToErrno(status)))).toEqual(statuses);
});

it("an errno, or a status, that is not in the table is an I/O error", () => {
  expect(errnoToStatus(-22)).toBe(BioStatus.IoError);
  expect([statusToErrno(99 as BioStatus), statusName(99 as BioStatus)]).toEqual([-5, "EIO"]);
});
