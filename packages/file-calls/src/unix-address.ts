/** The family of unix sockets. */
export const AF_UNIX = 1;
const PATH_BYTES_MAX = 107;

/**
 * The address of a unix socket as the system takes it, of a path or, behind an `@`, of a name without a
 * file. Null: no socket can be there.
 */
export function unixAddress(path: string): Uint8Array | null {
  const name = Buffer.from(path);
  if (name.length === 0 || name.length > PATH_BYTES_MAX || name.includes(0)) return null;
  const isNameless = path.startsWith("@");
  if (isNameless) name[0] = 0;
  const family = new Uint8Array(new Uint16Array([AF_UNIX]).buffer);
  // A name without a file is as long as the address says; a path ends with a zero.
  return Buffer.concat([family, name, Buffer.alloc(isNameless ? 0 : 1)]);
}
