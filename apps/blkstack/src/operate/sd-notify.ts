import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Tells systemd how far a service is, when it asks for that. Node knows no datagrams on unix sockets,
 * so its own `systemd-notify` tells it: the unit needs `NotifyAccess=all`.
 *
 * Answers whether it was told. Waits: until it has been.
 */
export async function sdNotify(
  state: "READY=1" | "STOPPING=1",
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if ((env["NOTIFY_SOCKET"] ?? "") === "") return false;
  const child = spawn("systemd-notify", [state], { env, stdio: "ignore" });
  try {
    const [status] = (await once(child, "exit")) as [number | null];
    return status === 0;
  } catch {
    // It is not installed; `/ready` is there for those without.
    return false;
  }
}
