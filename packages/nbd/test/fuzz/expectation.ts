import { HandshakeModel, type TlsOffer } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";
import { ModelDisk } from "./model-disk.ts";
import { type AnswersRead, readOptionAnswers } from "./option-answers.ts";
import { RequestReplies } from "./request-replies.ts";
import { TransmissionModel } from "./transmission-model.ts";
import { LIMITS, type World } from "./world.ts";

const GREETING = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), Buffer.from([0, 3])]);

/**
 * What has come of sessions, for people who want to know what was tried: the `options` and the
 * `requests` that the server had to make something of, and how many of these it had to be `refused`;
 * the sessions in which an export was `chosen`, that the server had to break off, or that went on
 * in TLS.
 */
export type Tally = Record<
  "sessions" | "options" | "requests" | "refused" | "chosen" | "broken" | "secured",
  number
>;

export function emptyTally(): Tally {
  return {
    sessions: 0,
    options: 0,
    requests: 0,
    refused: 0,
    chosen: 0,
    broken: 0,
    secured: 0,
  };
}

/** What must come of one session: told what the client says, and asked about what it heard. */
export class Expectation {
  readonly handshake: HandshakeModel;
  readonly #world: World;
  readonly #isOrdered: boolean;
  #transmission: TransmissionModel | null = null;
  #disk: ModelDisk | null = null;
  #isSecured = false;
  /** Whether every answer must come: nothing is said that nobody reads. */
  #isOwed = true;

  /** `isOrdered`: the device ends every bio at once. */
  constructor(world: World, tls: TlsOffer, isOrdered: boolean) {
    this.#world = world;
    this.#isOrdered = isOrdered;
    this.handshake = new HandshakeModel(world.exports, tls);
  }

  /** Whether the server closes once it has answered what came before. */
  get hasDisconnected(): boolean {
    return this.#transmission?.end === "over";
  }

  /** Takes what the client says in clear before TLS. Answers whether all of it means something. */
  takeClear(bytes: Buffer): boolean {
    this.#isOwed = this.handshake.take(bytes) === bytes.length;
    return this.#isOwed;
  }

  secured(): void {
    this.#isSecured = true;
    this.handshake.secured();
  }

  /** Takes the rest of what the client says. */
  predict(bytes: Buffer): void {
    const taken = this.handshake.take(bytes);
    const { chosen, dialect, contexts, isMeasured } = this.handshake;
    let isAllTaken = taken === bytes.length;
    if (chosen !== null) {
      const { bytes: held } = this.#world.diskOf(chosen.name);
      this.#disk = new ModelDisk(held, chosen.blockBytes, this.#isOrdered);
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

  /** Throws a Mismatch for an answer to an option that should not be there. */
  answersIn(received: Buffer): AnswersRead {
    const begins = GREETING.subarray(0, received.length);
    if (!received.subarray(0, begins.length).equals(begins)) throw new Mismatch("another greeting");
    return readOptionAnswers(received, GREETING.length, this.handshake.answers);
  }

  /**
   * Throws a Mismatch when what the client heard is not what it had to hear. Who vanished is owed
   * nothing, but is told nothing wrong either.
   */
  checkAnswers(received: Buffer, hasVanished = false): void {
    const isOwed = this.#isOwed && !hasVanished;
    const { isComplete, at } = this.answersIn(received);
    if (!isComplete) {
      if (isOwed) throw new Mismatch("the server closed and had not answered every option");
      return;
    }
    // Behind a wrong beginning of TLS comes what TLS says to that.
    if (this.handshake.end === "tls") return;
    const { exportNameAnswer, dialect } = this.handshake;
    const expected = exportNameAnswer ?? Buffer.alloc(0);
    const requestsAt = Math.min(received.length, at + expected.length);
    const answer = received.subarray(at, requestsAt);
    if (!answer.equals(expected.subarray(0, answer.length))) {
      throw new Mismatch(`EXPORT_NAME is answered with ${answer.toString("hex")}`);
    }
    if (isOwed && answer.length < expected.length) throw new Mismatch("no whole answer");
    const rest = received.subarray(requestsAt);
    if (this.#transmission === null) {
      if (rest.length > 0) throw new Mismatch(`${String(rest.length)} bytes that nobody asked for`);
      return;
    }
    new RequestReplies(rest, dialect, this.#transmission.expected, isOwed).check();
  }

  /** Throws a Mismatch when a disk holds what nobody can have put there. */
  checkDisks(): void {
    const { chosen } = this.handshake;
    for (const { name, sizeBytes } of this.#world.exports) {
      const disk = this.#world.diskOf(name);
      const isRight =
        name === chosen?.name && this.#disk !== null
          ? this.#disk.expect(0, sizeBytes)(disk.bytes, 0)
          : disk.isUntouched;
      if (!isRight) throw new Mismatch(`disk "${name}" holds what nobody wrote`);
    }
  }

  count(tally: Tally): void {
    const transmission = this.#transmission;
    tally.sessions += 1;
    tally.options += this.handshake.optionCount;
    if (this.#isSecured) tally.secured += 1;
    if (transmission === null) return;
    tally.chosen += 1;
    tally.requests += transmission.expected.length;
    for (const { errors } of transmission.expected) if (!errors.includes(0)) tally.refused += 1;
    if (transmission.end === "broken") tally.broken += 1;
  }
}
