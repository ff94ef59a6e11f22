import fc from "fast-check";
import { expect, it } from "vitest";
import { ReplyMemory } from "./reply-memory.ts";
import { TlsSink } from "./tls-sink.ts";

const PIECE_BYTES = 256 * 1024;

/** A socket that is done with a piece when the test says so. */
class SlowSocket {
  readonly taken: Uint8Array[] = [];
  #done: ((error?: Error | null) => void) | null = null;

  write(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    expect(this.#done).toBeNull();
    expect(bytes.length).toBeLessThanOrEqual(PIECE_BYTES);
    this.taken.push(bytes);
    this.#done = done;
  }

  /** Answers false when there was nothing to be done with. */
  finish(error?: Error): boolean {
    const done = this.#done;
    this.#done = null;
    done?.(error);
    return done !== null;
  }
}

it("all arrives in order and piece by piece, also what is written when something else is done", () => {
  const lengths = fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.constant(PIECE_BYTES),
      fc.integer({ min: 1, max: 3 * PIECE_BYTES }),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(lengths, lengths, (first, later) => {
      const socket = new SlowSocket();
      const memory = new ReplyMemory(PIECE_BYTES);
      const sink = new TlsSink(socket, memory);
      const written: Buffer[] = [];
      let doneCount = 0;
      const rest = [...later];
      const write = (length: number): void => {
        const bytes = Buffer.alloc(length, written.length + 1);
        written.push(bytes);
        sink.write(bytes, () => {
          doneCount += 1;
          const next = rest.shift();
          if (next !== undefined) write(next);
        });
      };
      for (const length of first) write(length);
      while (socket.finish());
      expect(Buffer.compare(Buffer.concat(socket.taken), Buffer.concat(written))).toBe(0);
      expect(doneCount).toBe(written.length);
      expect(memory.usedBytes).toBe(0);
    }),
  );
});

it("whoever waits is told when the socket fails", () => {
  const socket = new SlowSocket();
  const memory = new ReplyMemory(PIECE_BYTES);
  const sink = new TlsSink(socket, memory);
  const errors: (Error | null | undefined)[] = [];
  sink.write(Buffer.alloc(2 * PIECE_BYTES), (error) => errors.push(error));
  sink.write(Buffer.alloc(1), (error) => errors.push(error));
  const broken = new Error("broken");
  socket.finish(broken);
  socket.finish(broken);
  expect(errors).toEqual([broken, broken]);
  expect(socket.finish()).toBe(false);
  expect(memory.usedBytes).toBe(0);
});

it("little is encrypted at a time while there is little memory for copies", () => {
  const memory = new ReplyMemory(PIECE_BYTES);
  const socket = new SlowSocket();
  const sink = new TlsSink(socket, memory);
  sink.write(Buffer.alloc(2 * PIECE_BYTES));
  memory.add(PIECE_BYTES);
  socket.finish();
  expect(memory.usedBytes - PIECE_BYTES).toBe(16 * 1024);
  memory.remove(PIECE_BYTES);
  while (socket.finish());
  expect(socket.taken.map(({ length }) => length / 1024)).toEqual([256, 16, 240]);
});
