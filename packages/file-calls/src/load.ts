import type { FileCalls } from "./file-calls.ts";
import { LinuxFileCalls } from "./linux-file-calls.ts";

/** Where an offset in a file is 64 bits wide, whatever a C library was built for. */
const WIDE: ReadonlySet<string> = new Set(["x64", "arm64", "riscv64", "ppc64", "loong64"]);

let loading: Promise<FileCalls | null> | undefined;

/**
 * Answers the calls, or null where there are none: on other systems than Linux, and without the
 * optional package `koffi`. Whoever asks again gets the same.
 *
 * Waits: for the first use. Never throws.
 */
export function loadFileCalls(): Promise<FileCalls | null> {
  loading ??= load();
  return loading;
}

async function load(): Promise<FileCalls | null> {
  if (process.platform !== "linux" || !WIDE.has(process.arch)) return null;
  // The package may be missing, or have no binary for this machine, or the C library not the call:
  // everything works without, and there is nobody to tell.
  const module = await import("koffi").catch(() => null);
  if (module === null) return null;
  try {
    return new LinuxFileCalls(module.default);
  } catch {
    return null;
  }
}
