import fc from "fast-check";

/** One thing that a client gets wrong. */
export type Mutation =
  /** Some field of 1, 2, 4 or 8 bytes is something else. */
  | { readonly kind: "set"; readonly piece: number; readonly at: number; readonly of: Field }
  /** The length of an option, of the name in it, or of a request is not what follows. */
  | { readonly kind: "length"; readonly piece: number; readonly by: number }
  | { readonly kind: "type" | "flags"; readonly piece: number; readonly value: number }
  | { readonly kind: "drop" | "repeat"; readonly piece: number }
  | { readonly kind: "swap"; readonly piece: number; readonly other: number }
  | { readonly kind: "cut"; readonly piece: number; readonly at: number }
  | { readonly kind: "insert"; readonly piece: number; readonly bytes: Uint8Array };

interface Field {
  readonly bytes: number;
  readonly value: bigint;
}

/** Where arithmetic goes wrong, if anywhere. */
export const VALUES: readonly bigint[] = [
  0n,
  1n,
  7n,
  8n,
  0x20n,
  0x7fn,
  0x80n,
  0xffn,
  511n,
  513n,
  4095n,
  4097n,
  0x7fffn,
  0x8000n,
  0xffffn,
  2n ** 20n,
  2n ** 20n + 1n,
  2n ** 25n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 16n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n + 512n,
  2n ** 63n - 512n,
  2n ** 63n,
  2n ** 64n - 512n,
  2n ** 64n - 1n,
];

const piece = fc.nat(30);
const field: fc.Arbitrary<Field> = fc.record({
  bytes: fc.constantFrom(1, 2, 4, 8),
  value: fc.constantFrom(...VALUES),
});

export const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set"), piece, at: fc.nat(40), of: field }),
  fc.record({ kind: fc.constant("length"), piece, by: fc.integer({ min: -20, max: 600 }) }),
  fc.record({ kind: fc.constant("type"), piece, value: fc.nat(13) }),
  fc.record({ kind: fc.constant("flags"), piece, value: fc.nat(0x7f) }),
  fc.record({ kind: fc.constantFrom("drop", "repeat"), piece }),
  fc.record({ kind: fc.constant("swap"), piece, other: piece }),
  fc.record({ kind: fc.constant("cut"), piece, at: fc.nat(60) }),
  fc.record({ kind: fc.constant("insert"), piece, bytes: fc.uint8Array({ maxLength: 40 }) }),
);

/** The same pieces, but for what is wrong with them. */
export function mutate(pieces: readonly Buffer[], all: readonly Mutation[]): Buffer[] {
  const changed = pieces.map((each) => Buffer.from(each));
  for (const mutation of all) if (changed.length > 0) apply(changed, mutation);
  return changed;
}

function apply(pieces: Buffer[], mutation: Mutation): void {
  const index = mutation.piece % pieces.length;
  const target = pieces[index] ?? Buffer.alloc(0);
  switch (mutation.kind) {
    case "set":
      set(target, mutation.at % (target.length + 1), mutation.of);
      return;
    case "length": {
      const at = !isOption(target) ? 24 : mutation.by % 2 === 0 ? 12 : 16;
      if (at + 4 > target.length) return;
      const length = (target.readUInt32BE(at) + mutation.by) % 2 ** 32;
      target.writeUInt32BE(Math.max(0, length), at);
      return;
    }
    case "type":
      if (isOption(target)) set(target, 8, { bytes: 4, value: BigInt(mutation.value) });
      else set(target, 6, { bytes: 2, value: BigInt(mutation.value) });
      return;
    case "flags":
      if (!isOption(target)) set(target, 4, { bytes: 2, value: BigInt(mutation.value) });
      return;
    case "drop":
      pieces.splice(index, 1);
      return;
    case "repeat":
      pieces.splice(index, 0, Buffer.from(target));
      return;
    case "swap": {
      const other = mutation.other % pieces.length;
      pieces[index] = pieces[other] ?? target;
      pieces[other] = target;
      return;
    }
    case "cut":
      pieces[index] = target.subarray(0, mutation.at % (target.length + 1));
      return;
    case "insert":
      pieces.splice(index, 0, Buffer.from(mutation.bytes));
  }
}

function isOption(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 8) === "IHAVEOPT";
}

/** Writes as much of the value as there is room for. */
function set(target: Buffer, at: number, { bytes, value }: Field): void {
  const whole = Buffer.alloc(8);
  whole.writeBigUInt64BE(value);
  whole.copy(target, at, 8 - bytes);
}
