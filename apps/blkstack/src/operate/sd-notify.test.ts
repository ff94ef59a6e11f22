import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/cli.ts";
import { sdNotify, SdState } from "./sd-notify.ts";

/** A system that answers this, and the datagrams that it was asked to send. */
function systemThatAnswers(answer: number) {
  const sent: [path: string, text: string][] = [];
  const sendDatagram = (path: string, bytes: Uint8Array): number => {
    sent.push([path, Buffer.from(bytes).toString()]);
    return answer;
  };
  return { sent, load: () => Promise.resolve({ sendDatagram }) };
}

/** A folder with a `systemd-notify` that writes down what it is to tell, and where. */
async function folderWithNotify(): Promise<string> {
  const folder = await temporaryFolder();
  const script = '#!/bin/sh\necho "$NOTIFY_SOCKET: $*" > "${0%/*}/told"\n';
  await writeFile(join(folder, "systemd-notify"), script);
  await chmod(join(folder, "systemd-notify"), 0o755);
  return folder;
}

describe("systemd", () => {
  it("is told by a datagram", async () => {
    const { sent, load } = systemThatAnswers(0);
    const env = { NOTIFY_SOCKET: "@somewhere", PATH: "" };
    expect(await sdNotify(SdState.Ready, env, load)).toBe(true);
    expect(sent).toEqual([["@somewhere", "READY=1"]]);
  });

  it("is told when a reload begins, too", async () => {
    const { sent, load } = systemThatAnswers(0);
    await sdNotify(SdState.reloading(), { NOTIFY_SOCKET: "/run/notify", PATH: "" }, load);
    expect(sent[0]?.[1]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=[0-9]+$/);
  });

  it.each([
    ["cannot be called", () => Promise.resolve(null)],
    ["has no room", systemThatAnswers(-11).load],
  ])("is told by its own command where the system %s", async (_what, load) => {
    const folder = await folderWithNotify();
    const env = { NOTIFY_SOCKET: "/run/notify", PATH: `${folder}:/bin` };
    expect(await sdNotify(SdState.Stopping, env, load)).toBe(true);
    expect(await readFile(join(folder, "told"), "utf8")).toBe("/run/notify: STOPPING=1\n");
  });

  it("is not told where nobody listens, nor of whoever does not run under it", async () => {
    const path = join(await temporaryFolder(), "nobody");
    expect(await sdNotify(SdState.Ready, { NOTIFY_SOCKET: path, PATH: "" })).toBe(false);
    expect(await sdNotify(SdState.Ready, { NOTIFY_SOCKET: "x".repeat(108), PATH: "" })).toBe(false);
    const { sent, load } = systemThatAnswers(0);
    expect(await sdNotify(SdState.Ready, {}, load)).toBe(false);
    expect(sent).toEqual([]);
  });
});
