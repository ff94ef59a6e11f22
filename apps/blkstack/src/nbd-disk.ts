import { resolve } from "node:path";
import { type NbdAddress, NbdDisk, parseNbdUri } from "@blkstack/nbd";
import type { DiskKinds } from "@blkstack/stack";

/** Where a disk is that a stack file names: paths in the URI are relative to the folder of that file. */
export function remoteAddress(uri: string, baseDirectory: string): NbdAddress {
  const address = parseNbdUri(uri);
  const inBase = (path: string): string => resolve(baseDirectory, path);
  const { tls } = address;
  return {
    ...address,
    ...("unix" in address && { unix: inBase(address.unix) }),
    ...(tls !== undefined && {
      tls: {
        ...tls,
        ...(tls.certificates !== undefined && { certificates: inBase(tls.certificates) }),
        ...(tls.pskFile !== undefined && { pskFile: inBase(tls.pskFile) }),
      },
    }),
  };
}

/** Opens an export of an NBD server as a disk. */
export const openNbdDisk: NonNullable<DiskKinds["nbd"]> = async (request) => {
  const { name, disk, baseDirectory, scheduler } = request;
  const address = remoteAddress(disk.uri, baseDirectory);
  const device = await NbdDisk.open({ ...disk, name, address, scheduler });
  return { device, close: () => device.close() };
};
