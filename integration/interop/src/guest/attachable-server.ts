import { BlockClient } from "../block-client.ts";
import { Errno } from "../raw-protocol.ts";
import type { Served } from "../served.ts";
import { succeed } from "../tools.ts";
import { eventually } from "../workbench.ts";
import { type Guest, HOST_FROM_GUEST } from "./guest.ts";

/** How many tenths of a second a device may take to be there, or to be gone. */
const ATTACH_TENTHS = 300;

export interface AttachOptions {
  /** Further options of nbd-client, before the others. */
  readonly options?: string;
}

interface Doors {
  readonly socket: string;
  readonly httpPort: number;
}

/** A server that a guest can reach by TCP, and its tests by a unix socket. */
export class AttachableServer {
  readonly served: Served;
  readonly port: number;
  readonly #guest: Guest;
  readonly #doors: Doors;

  constructor(served: Served, guest: Guest, doors: Doors) {
    this.served = served;
    this.port = Number(new URL(served.uris[0] ?? "").port);
    this.#guest = guest;
    this.#doors = doors;
  }

  /** Has the guest connect `/dev/DEVICE` to an export, and waits until its size is known. */
  async attach(
    exportName: string,
    device: string,
    { options = "" }: AttachOptions = {},
  ): Promise<void> {
    const address = `${HOST_FROM_GUEST} ${String(this.port)}`;
    await this.#guest.succeed(`nbd-client ${options} -N ${exportName} ${address} /dev/${device}
      tenths=0
      until test -e /sys/block/${device}/pid && test "$(cat /sys/block/${device}/size)" -gt 0; do
        tenths=$((tenths + 1))
        test $tenths -lt ${String(ATTACH_TENTHS)} || exit 1
        sleep 0.1
      done`);
  }

  /** All of an export, as we read it ourselves; of 32 MiB at the most. */
  async read(exportName: string, bytes: number): Promise<Buffer> {
    const client = await BlockClient.open(this.#doors.socket, exportName);
    try {
      const answer = await client.read(0, bytes);
      if (answer?.errno === Errno.Ok) return answer.bytes;
      throw new Error(`reading ${exportName} ended with ${String(answer?.errno)}`);
    } finally {
      client.close();
    }
  }

  open(exportName: string): Promise<BlockClient> {
    return BlockClient.open(this.#doors.socket, exportName);
  }

  /** Waits until clients are told this size: a server looks at the length of a file now and then. */
  async tells(exportName: string, bytes: number): Promise<void> {
    const uri = `nbd+unix:///${exportName}?socket=${this.#doors.socket}`;
    await eventually(async () => {
      const told = Number(await succeed("nbdinfo", ["--size", uri]));
      if (told !== bytes) throw new Error(`${exportName} is ${String(told)} bytes long`);
    });
  }

  /** A page of metrics, line by line. */
  async metrics(): Promise<string[]> {
    const page = await fetch(`http://127.0.0.1:${String(this.#doors.httpPort)}/metrics`);
    return (await page.text()).split("\n");
  }

  /** Ends in good order what must have nothing to complain of. */
  async stop(): Promise<void> {
    const status = await this.served.stop();
    if (status !== 0)
      throw new Error(`the server ended with ${String(status)}: ${this.served.stderr}`);
  }
}

/** Has the guest let go of a device, and waits until it has. */
export async function detach(guest: Guest, device: string): Promise<void> {
  await guest.succeed(`test ! -e /sys/block/${device}/pid || nbd-client -d /dev/${device}
    tenths=0
    while test -e /sys/block/${device}/pid; do
      tenths=$((tenths + 1))
      test $tenths -lt ${String(ATTACH_TENTHS)} || exit 1
      sleep 0.1
    done`);
}
