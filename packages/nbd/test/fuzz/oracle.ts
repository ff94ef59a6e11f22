import { Option } from "../../src/wire.ts";
import { option, query, request } from "../raw-client.ts";
import { Expectation, type Tally } from "./expectation.ts";
import { FuzzClient } from "./fuzz-client.ts";
import { Mismatch } from "./mismatch.ts";
import { type Rig, Rigs } from "./rig.ts";
import { type Script, scriptOf, type Session } from "./session.ts";

const PIECES_MAX = 64;

/** Plays sessions against a server on a socket, and holds it to the model. */
export class Oracle {
  readonly #rig: Rig;
  readonly #session: Session;
  readonly #script: Script;
  readonly #client: FuzzClient;
  readonly #expectation: Expectation;

  constructor(rig: Rig, session: Session) {
    this.#rig = rig;
    this.#session = session;
    this.#script = scriptOf(session);
    rig.prepare(session.isLate);
    this.#client = new FuzzClient(rig.path);
    const isOrdered = !session.isLate && session.end !== "vanish";
    const tls = session.tls === "off" ? "none" : "offered";
    this.#expectation = new Expectation(rig.world, tls, isOrdered);
  }

  /** Throws a Mismatch when the server does what the model does not; counts what was tried. */
  async play(tally: Tally): Promise<void> {
    const { end, tls } = this.#session;
    const { rest } = this.#script;
    try {
      if (tls !== "used" || (await this.#secure())) {
        this.#expectation.predict(rest);
        await this.#say(rest);
      }
      if (end === "vanish") this.#client.vanish();
      else {
        if (end === "halfClose" || !this.#expectation.hasDisconnected) this.#client.halfClose();
        await this.#client.untilClosed();
        this.#expectation.checkAnswers(this.#client.received);
      }
    } finally {
      this.#client.vanish();
    }
    await this.#rig.expectNothingHeld();
    this.#expectation.checkDisks();
    await this.#expectServed();
    this.#expectation.count(tally);
  }

  /** Negotiates in clear, and asks for TLS. Answers whether it got so far. */
  async #secure(): Promise<boolean> {
    const { handshake } = this.#expectation;
    for (const bytes of [this.#script.clear, option(Option.StartTls)]) {
      if (handshake.end !== "open") return false;
      handshake.take(bytes);
      this.#client.send(bytes);
      await this.#client.until((received) => this.#expectation.answersIn(received).isComplete);
    }
    if (handshake.end !== "tls") return false;
    await this.#client.secure(Rigs.trust);
    this.#expectation.secured();
    return true;
  }

  async #say(bytes: Buffer): Promise<void> {
    const { pieces, isSlow } = this.#session;
    if (isSlow) this.#client.pause();
    let at = 0;
    for (let count = 0; at < bytes.length; count += 1) {
      const length =
        count < PIECES_MAX ? (pieces[count % pieces.length] ?? bytes.length) : bytes.length;
      this.#client.send(bytes.subarray(at, at + length));
      at += length;
      if (at >= bytes.length && !isSlow) break;
      await turn();
      this.#rig.world.expectBounded();
    }
    if (isSlow) this.#client.resume();
  }

  /** Whatever somebody did: the next one is served. */
  async #expectServed(): Promise<void> {
    const disk = this.#rig.world.diskOf("disk");
    disk.isLate = false;
    const client = new FuzzClient(this.#rig.path);
    const read = [request({ command: 0, length: 512 }), request({ command: 2 })];
    client.send(Buffer.concat([Buffer.from([0, 0, 0, 3]), option(Option.Go, query("")), ...read]));
    await client.untilClosed();
    client.vanish();
    if (!client.received.subarray(-512).equals(disk.bytes.subarray(0, 512))) {
      throw new Mismatch("the next client is not served");
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
