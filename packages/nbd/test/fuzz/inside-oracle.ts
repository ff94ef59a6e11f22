import { Option } from "../../src/wire.ts";
import { option, query, request } from "../raw-client.ts";
import { Expectation, type Tally } from "./expectation.ts";
import { enter } from "./memory/listener.ts";
import { MemorySocket } from "./memory/memory-socket.ts";
import { Mismatch } from "./mismatch.ts";
import { Random } from "./random.ts";
import type { InsideSession } from "./random-session.ts";
import { scriptOf } from "./session.ts";
import type { World } from "./world.ts";

/** Nothing here waits for time to pass: what is not over after so many turns never will be. */
const TURNS_MAX = 20_000;
const PIECES_MAX = 64;
/** A client that is served well is tried beside every so many sessions. */
const SERVED_EVERY = 16;

/** Plays sessions against a server in this process, turn by turn, and holds it to the model. */
export class InsideOracle {
  readonly #world: World;
  readonly #path: string;
  readonly #session: InsideSession;
  readonly #random: Random;
  readonly #expectation: Expectation;
  #socket: MemorySocket;

  constructor(world: World, path: string, session: InsideSession) {
    this.#world = world;
    this.#path = path;
    this.#session = session;
    this.#random = new Random(session.turnSeed);
    world.prepare();
    for (const disk of world.disks) disk.isHolding = session.isLate;
    const isOrdered = !session.isLate && session.end !== "vanish";
    const offer = session.isTlsRequired ? "required" : "offered";
    this.#expectation = new Expectation(world, session.tls === "off" ? "none" : offer, isOrdered);
    this.#socket = new MemorySocket(session.isDirect);
    enter(path, this.#socket);
  }

  /** Throws a Mismatch when the server does what the model does not; counts what was tried. */
  async play(tally: Tally): Promise<void> {
    try {
      await this.#play(tally);
    } finally {
      // A server that is wrong must not go on with it in the next session.
      this.#socket.destroy();
    }
  }

  async #play(tally: Tally): Promise<void> {
    const { end, tls } = this.#session;
    const { clear, rest } = scriptOf(this.#session);
    if (tls !== "used" || (await this.#secure(clear))) {
      this.#expectation.predict(rest);
      await this.#say(rest, false);
    }
    if (end === "vanish") this.#socket.vanish();
    else if (end === "halfClose" || !this.#expectation.hasDisconnected) this.#socket.halfClose();
    await this.#untilNothingIsHeld();
    this.#expectation.checkAnswers(Buffer.concat(this.#socket.received), end === "vanish");
    this.#expectation.checkDisks();
    if (tally.sessions % SERVED_EVERY === 0 && tls === "off") await this.#expectServed();
    this.#expectation.count(tally);
  }

  /** Says all that is to be said in clear, and perhaps too much. Answers whether TLS stands. */
  async #secure(clear: Buffer): Promise<boolean> {
    const { clearTail } = this.#session;
    const bytes = Buffer.concat([clear, option(Option.StartTls), clearTail]);
    const isAllTaken = this.#expectation.takeClear(bytes);
    await this.#say(bytes, true);
    const plain = this.#socket;
    const isToBeSecured = this.#expectation.handshake.end === "tls" && isAllTaken;
    for (let turns = 0; isToBeSecured && plain.secured === null; turns += 1) {
      if (plain.isClosed || turns > TURNS_MAX)
        throw new Mismatch("the server does not go on in TLS");
      await this.#turn();
    }
    if (plain.secured === null) return false;
    if (!isToBeSecured) throw new Mismatch("the server goes on in TLS behind junk");
    this.#socket = plain.secured;
    this.#expectation.secured();
    return true;
  }

  async #say(bytes: Buffer, isClear: boolean): Promise<void> {
    const { pieces, isSlow } = this.#session;
    let at = 0;
    for (let count = 0; at < bytes.length; count += 1) {
      const piece = count < PIECES_MAX ? pieces[count % pieces.length] : undefined;
      const length = piece ?? bytes.length;
      this.#socket.say(bytes.subarray(at, at + length));
      at += length;
      this.#socket.pump();
      if (isClear) continue;
      if (!isSlow) this.#socket.take(this.#random.below(4));
      if (this.#random.isOneOf(3)) await this.#turn(isSlow);
      this.#world.expectBounded();
    }
  }

  /** What a turn of the event loop may bring: something arrives, is taken, or ends. */
  async #turn(isReading = true): Promise<void> {
    this.#socket.pump();
    if (isReading) this.#socket.take(1 + this.#random.below(8));
    for (const disk of this.#world.disks) {
      if (disk.held.length > 0) disk.letOneGo(this.#random.below(disk.held.length));
    }
    await nextTurn();
  }

  async #untilNothingIsHeld(): Promise<void> {
    for (let turns = 0; turns < TURNS_MAX; turns += 1) {
      if (this.#socket.isClosed && !this.#world.isHolding) return;
      await this.#turn();
      this.#world.expectBounded();
    }
    const closed = this.#socket.isClosed ? "closed" : "open";
    const held = JSON.stringify(this.#world.server.counters);
    throw new Mismatch(`the server hangs: the socket is ${closed}, and it holds ${held}`);
  }

  /** Whatever somebody did: the next one is served. */
  async #expectServed(): Promise<void> {
    const disk = this.#world.diskOf("disk");
    disk.isHolding = false;
    this.#socket = new MemorySocket(true);
    enter(this.#path, this.#socket);
    const read = [request({ command: 0, length: 512 }), request({ command: 2 })];
    const go = option(Option.Go, query(""));
    this.#socket.say(Buffer.concat([Buffer.from([0, 0, 0, 3]), go, ...read]));
    await this.#untilNothingIsHeld();
    const received = Buffer.concat(this.#socket.received);
    if (!received.subarray(-512).equals(disk.bytes.subarray(0, 512))) {
      throw new Mismatch("the next client is not served");
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
