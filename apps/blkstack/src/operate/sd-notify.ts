import { spawn } from "node:child_process";
import { once } from "node:events";
import { loadSocketCalls, type SocketCalls } from "@blkstack/file-calls";

/** Where a service is, in words of systemd. */
export const SdState = {
  Ready: "READY=1",
  Stopping: "STOPPING=1",
  /** To be followed by `Ready`. With the time, as systemd wants it of `Type=notify-reload`. */
  reloading: (): string => `RELOADING=1\nMONOTONIC_USEC=${String(process.hrtime.bigint() / 1000n)}`,
} as const;

/**
 * Tells systemd where a service is, when it asks for that. Node knows no datagrams on unix sockets:
 * where `@blkstack/file-calls` cannot send them either, systemd's own `systemd-notify` does, for which the
 * unit needs `NotifyAccess=all`.
 *
 * Answers whether it was told. Waits: until it has been.
 */
export async function sdNotify(
  state: string,
  env: Readonly<Record<string, string | undefined>>,
  loadSockets: () => Promise<Pick<SocketCalls, "sendDatagram"> | null> = loadSocketCalls,
): Promise<boolean> {
  const path = env["NOTIFY_SOCKET"] ?? "";
  if (path === "") return false;
  const sockets = await loadSockets();
  if (sockets?.sendDatagram(path, Buffer.from(state)) === 0) return true;
  const child = spawn("systemd-notify", state.split("\n"), { env, stdio: "ignore" });
  try {
    const [status] = (await once(child, "exit")) as [number | null];
    return status === 0;
  } catch {
    // It is not installed; `/ready` is there for those without.
    return false;
  }
}
