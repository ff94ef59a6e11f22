import type { FileCalls } from "./file-calls.ts";
import type { Ffi } from "./ffi.ts";
import { LinuxFileCalls } from "./linux-file-calls.ts";
import { LinuxSocketCalls, type SocketCalls } from "./socket-calls.ts";

/** Where an offset in a file is 64 bits wide, whatever a C library was built for. */
const WIDE: ReadonlySet<string> = new Set(["x64", "arm64", "riscv64", "ppc64", "loong64"]);

let loading: Promise<Ffi | null> | undefined;
let files: Promise<FileCalls | null> | undefined;
let sockets: Promise<SocketCalls | null> | undefined;

/**
 * Answers the calls, or null where there are none: on other systems than Linux, and without the
 * optional package `koffi`. Whoever asks again gets the same.
 *
 * Waits: for the first use. Never throws.
 */
export function loadFileCalls(): Promise<FileCalls | null> {
  files ??= load((ffi) => new LinuxFileCalls(ffi));
  return files;
}

/** As `loadFileCalls`, for sockets. */
export function loadSocketCalls(): Promise<SocketCalls | null> {
  sockets ??= load((ffi) => new LinuxSocketCalls(ffi));
  return sockets;
}

async function load<Calls>(make: (ffi: Ffi) => Calls): Promise<Calls | null> {
  loading ??= loadFfi();
  const ffi = await loading;
  if (ffi === null) return null;
  // The C library may not have the call: everything works without, and there is nobody to tell.
  try {
    return make(ffi);
  } catch {
    return null;
  }
}

async function loadFfi(): Promise<Ffi | null> {
  if (process.platform !== "linux" || !WIDE.has(process.arch)) return null;
  // The package may be missing, or have no binary for this machine.
  const module = await import("koffi").catch(() => null);
  return module?.default ?? null;
}
