/** What is used of koffi. */
export interface Ffi {
  /** The C library is loaded already: null names what the process has. */
  load(path: null): { func(declaration: string): unknown };
  address(memory: Uint8Array): bigint;
  errno(): number;
}
