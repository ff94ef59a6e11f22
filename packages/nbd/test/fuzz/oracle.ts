import { Option } from "../../src/wire.ts";
import { option, query, request } from "../raw-client.ts";
import { FuzzClient } from "./fuzz-client.ts";
import { HandshakeModel } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";
import { ModelDisk } from "./model-disk.ts";
import { type AnswersRead, readOptionAnswers } from "./option-answers.ts";
import { RequestReplies } from "./request-replies.ts";
import { LIMITS, type Rig, Rigs } from "./rig.ts";
import { type Script, scriptOf, type Session } from "./session.ts";
import { TransmissionModel } from "./transmission-model.ts";

const GREETING = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), Buffer.from([0, 3])]);
const PIECES_MAX = 64;

/**
 * What has come of sessions, for people who want to know what was tried: those in which an export
 * was `chosen`, the `requests` that had to be answered and those that had to be `refused`, and the
 * sessions that the server had to break off, or that went on in TLS.
 */
export type Tally = Record<
  "sessions" | "chosen" | "requests" | "refused" | "broken" | "secured",
  number
>;

/** Plays sessions against a server, and holds it to the model. */
export class Oracle {
  readonly tally: Tally = {
    sessions: 0,
    chosen: 0,
    requests: 0,
    refused: 0,
    broken: 0,
    secured: 0,
  };
  readonly #rig: Rig;
  readonly #session: Session;
  readonly #script: Script;
  readonly #client: FuzzClient;
  readonly #handshake: HandshakeModel;
  #transmission: TransmissionModel | null = null;
  #disk: ModelDisk | null = null;
  /** Whether every answer must come: nobody vanishes, and nothing is said that nobody reads. */
  #isOwed = true;

  constructor(rig: Rig, session: Session) {
    this.#rig = rig;
    this.#session = session;
    this.#script = scriptOf(session);
    rig.prepare(session.isLate);
    this.#client = new FuzzClient(rig.path);
    this.#handshake = new HandshakeModel(rig.exports, session.tls !== "off");
  }

  /** Throws a Mismatch when the server does what the model does not. */
  async play(): Promise<void> {
    const { end, tls } = this.#session;
    const { rest } = this.#script;
    try {
      if (tls !== "used" || (await this.#secure())) {
        this.#predict(rest);
        await this.#say(rest);
      }
      if (end === "vanish") this.#client.vanish();
      else {
        if (end === "halfClose" || this.#transmission?.end !== "over") this.#client.halfClose();
        await this.#client.untilClosed();
        this.#checkAnswers();
      }
    } finally {
      this.#client.vanish();
    }
    await this.#rig.expectNothingHeld();
    this.#checkDisk();
    await this.#expectServed();
    this.#count();
  }

  /** Negotiates in clear, and asks for TLS. Answers whether it got so far. */
  async #secure(): Promise<boolean> {
    for (const bytes of [this.#script.clear, option(Option.StartTls)]) {
      if (this.#handshake.end !== "open") return false;
      this.#handshake.take(bytes);
      this.#client.send(bytes);
      await this.#client.until((received) => this.#answersIn(received).isComplete);
    }
    if (this.#handshake.end !== "tls") return false;
    await this.#client.secure(Rigs.trust);
    this.#handshake.secured();
    this.tally.secured += 1;
    return true;
  }

  #predict(bytes: Buffer): void {
    const { isLate, end } = this.#session;
    const taken = this.#handshake.take(bytes);
    const { chosen } = this.#handshake;
    let isAllTaken = taken === bytes.length;
    if (chosen !== null) {
      const isOrdered = !isLate && end !== "vanish";
      this.#disk = new ModelDisk(this.#rig.diskOf(chosen.name).bytes, chosen.blockBytes, isOrdered);
      const { dialect, contexts, isMeasured } = this.#handshake;
      const { requestBytesMax } = LIMITS;
      const terms = { entry: chosen, dialect, contexts, isMeasured, requestBytesMax };
      const transmission = new TransmissionModel(terms, this.#disk);
      transmission.take(bytes.subarray(taken));
      this.#transmission = transmission;
      isAllTaken = transmission.end !== "broken" && taken + transmission.taken === bytes.length;
    }
    // To say more to somebody who closes may cost the answers that were on their way.
    this.#isOwed = isAllTaken;
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
      this.#rig.expectBounded();
    }
    if (isSlow) this.#client.resume();
  }

  #answersIn(received: Buffer): AnswersRead {
    const begins = GREETING.subarray(0, received.length);
    if (!received.subarray(0, begins.length).equals(begins)) throw new Mismatch("another greeting");
    return readOptionAnswers(received, GREETING.length, this.#handshake.answers);
  }

  #checkAnswers(): void {
    const { received } = this.#client;
    const { isComplete, at } = this.#answersIn(received);
    if (!isComplete) {
      if (this.#isOwed) throw new Mismatch("the server closed and had not answered every option");
      return;
    }
    // Behind a wrong beginning of TLS comes what TLS says to that.
    if (this.#handshake.end === "tls") return;
    const { exportNameAnswer } = this.#handshake;
    const expected = exportNameAnswer ?? Buffer.alloc(0);
    const requestsAt = Math.min(received.length, at + expected.length);
    const answer = received.subarray(at, requestsAt);
    if (!answer.equals(expected.subarray(0, answer.length))) {
      throw new Mismatch(`EXPORT_NAME is answered with ${answer.toString("hex")}`);
    }
    if (this.#isOwed && answer.length < expected.length) throw new Mismatch("no whole answer");
    const rest = received.subarray(requestsAt);
    if (this.#transmission === null) {
      if (rest.length > 0) throw new Mismatch(`${String(rest.length)} bytes that nobody asked for`);
      return;
    }
    const { dialect } = this.#handshake;
    new RequestReplies(rest, dialect, this.#transmission.expected, this.#isOwed).check();
  }

  #checkDisk(): void {
    const { chosen } = this.#handshake;
    for (const { name, sizeBytes } of this.#rig.exports) {
      const { bytes } = this.#rig.diskOf(name);
      const model = name === chosen?.name ? this.#disk : null;
      if (model?.expect(0, sizeBytes)(bytes, 0) === false) {
        throw new Mismatch(`disk "${name}" holds what nobody wrote`);
      }
    }
  }

  /** Whatever somebody did: the next one is served. */
  async #expectServed(): Promise<void> {
    const { bytes } = this.#rig.diskOf("disk");
    this.#rig.diskOf("disk").isLate = false;
    const client = new FuzzClient(this.#rig.path);
    const read = [request({ command: 0, length: 512 }), request({ command: 2 })];
    client.send(Buffer.concat([Buffer.from([0, 0, 0, 3]), option(Option.Go, query("")), ...read]));
    await client.untilClosed();
    client.vanish();
    if (!client.received.subarray(-512).equals(bytes.subarray(0, 512))) {
      throw new Mismatch("the next client is not served");
    }
  }

  #count(): void {
    const transmission = this.#transmission;
    this.tally.sessions += 1;
    if (transmission === null) return;
    this.tally.chosen += 1;
    this.tally.requests += transmission.expected.length;
    this.tally.refused += transmission.expected.filter(({ errors }) => !errors.includes(0)).length;
    if (transmission.end === "broken") this.tally.broken += 1;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
