// What stands in for the module of the same name: TLS that is there as soon as it is asked for, so
// that what a server makes of it is tried at full speed. What TLS itself makes of bytes, real
// sessions try.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { TlsMode } from "../../../src/handshake.ts";
import type { ServerTls, TlsOutcome } from "../../../src/server-tls.ts";
import type { MemorySocket } from "./memory-socket.ts";

export class TlsAcceptor {
  readonly mode: TlsMode;

  constructor({ isRequired }: ServerTls) {
    this.mode = isRequired === false ? TlsMode.Offered : TlsMode.Required;
  }

  accept(socket: Socket, outcome: TlsOutcome): void {
    const below = socket as unknown as MemorySocket;
    if (below.hasMoreComing) outcome.failed("no handshake but junk");
    else outcome.secured(below.secure() as unknown as TLSSocket);
  }
}
