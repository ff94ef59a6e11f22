import type { Socket } from "node:net";
import { Listener } from "@blkstack/nbd";
import type { Commander } from "./commander.ts";
import { ControlConnection } from "./control-connection.ts";

const CONNECTIONS_MAX = 16;
/** How long whoever does not read the last answers can keep a server from ending. */
const LAST_ANSWERS_MS = 500;

/** The socket by which people change a running stack, for its owner alone. */
export class ControlSocket {
  readonly #commander: Commander;
  readonly #connections = new Map<Socket, ControlConnection>();
  #listener: Listener | null = null;

  private constructor(commander: Commander) {
    this.#commander = commander;
  }

  /** Throws as `Listener.open` does for a path that is taken. */
  static async open(path: string, commander: Commander): Promise<ControlSocket> {
    const control = new ControlSocket(commander);
    control.#listener = await Listener.open({ unix: path }, (socket) => {
      control.#accept(socket);
    });
    return control;
  }

  /** Waits: until what is under way is carried out, or called off. */
  async close(): Promise<void> {
    // A listener is closed when its last connection is.
    const closed = this.#listener?.close();
    for (const connection of this.#connections.values()) connection.close();
    await this.#commander.close();
    for (const socket of this.#connections.keys()) socket.destroySoon();
    const timeout = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, LAST_ANSWERS_MS);
    await closed;
    clearTimeout(timeout);
  }

  /** Of too many, the one that has been silent for longest goes; or the new one, when all are busy. */
  #accept(socket: Socket): void {
    if (this.#connections.size >= CONNECTIONS_MAX) {
      const idle = [...this.#connections].find(([, connection]) => connection.isIdle);
      (idle?.[0] ?? socket).destroy();
      if (idle === undefined) return;
    }
    const connection = new ControlConnection(
      socket,
      (line, interruption) => this.#commander.answer(line, interruption),
      () => this.#connections.delete(socket),
    );
    this.#connections.set(socket, connection);
  }
}
