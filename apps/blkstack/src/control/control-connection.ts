import type { Socket } from "node:net";
import { Interruption } from "@blkstack/device-mapper";
import type { Answer } from "./answer.ts";

/** A request, and all that is received while one is under way. */
const LINE_BYTES_MAX = 2 ** 20;

const NEWLINE = 0x0a;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

type Answerer = (line: string, interruption: Interruption) => Promise<Answer>;

/**
 * One who controls the server: a JSON object on each line, each answered by one. Whoever ends their
 * side has left.
 */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #answer: Answerer;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** How many newlines there are in what was received. */
  #lineCount = 0;
  #underWay: Interruption | null = null;
  #isLeaving = false;

  constructor(socket: Socket, answer: Answerer, onClosed: () => void) {
    this.#socket = socket;
    this.#answer = answer;
    socket.on("data", (bytes: Buffer) => {
      this.#take(bytes);
    });
    // A socket that breaks is closed, too.
    socket.on("error", () => undefined);
    socket.on("end", () => {
      this.#leave();
    });
    socket.on("close", () => {
      this.#leave();
      onClosed();
    });
    socket.resume();
  }

  get isIdle(): boolean {
    return this.#underWay === null;
  }

  /** Closes when the answer that is under way is sent. */
  close(): void {
    this.#leave();
  }

  #take(bytes: Buffer): void {
    if (this.#isLeaving) return;
    this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
      this.#lineCount += 1;
    }
    if (this.#receivedBytes > LINE_BYTES_MAX) {
      const message = `a request has at most ${String(LINE_BYTES_MAX)} bytes`;
      this.#write({ error: { errno: "EINVAL", message } }, () => undefined);
      this.#leave();
    } else if (this.#underWay === null && this.#lineCount > 0) {
      void this.#serve();
    }
  }

  /** Answers all lines that are there, one after the other. */
  async #serve(): Promise<void> {
    const interruption = new Interruption();
    this.#underWay = interruption;
    while (this.#lineCount > 0 && !interruption.isRaised) {
      const answer = await this.#answerTo(this.#nextLine(), interruption);
      // Whoever does not read is not answered more.
      await new Promise<void>((resolve) => {
        this.#write(answer, resolve);
      });
    }
    this.#underWay = null;
    if (this.#isLeaving) this.#socket.destroySoon();
  }

  async #answerTo(line: Buffer, interruption: Interruption): Promise<Answer> {
    let text: string;
    try {
      text = UTF8.decode(line);
    } catch {
      return { error: { errno: "EINVAL", message: "the request is no UTF-8" } };
    }
    return this.#answer(text, interruption);
  }

  #nextLine(): Buffer {
    const [first] = this.#received;
    const isWhole = first !== undefined && this.#received.length === 1;
    const all = isWhole ? first : Buffer.concat(this.#received);
    const end = all.indexOf(NEWLINE);
    const rest = all.subarray(end + 1);
    this.#received = [rest];
    this.#receivedBytes = rest.length;
    this.#lineCount -= 1;
    return all.subarray(0, end);
  }

  #write(answer: Answer, onWritten: () => void): void {
    if (this.#socket.destroyed) onWritten();
    else this.#socket.write(`${JSON.stringify(answer)}\n`, onWritten);
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#received = [];
    this.#receivedBytes = 0;
    this.#lineCount = 0;
    if (this.#underWay === null) this.#socket.destroySoon();
    else this.#underWay.raise();
  }
}
