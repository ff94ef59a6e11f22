import { BioOp, BioStatus, isWriteOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { dust } from "@blkstack/dm-dust";
import { flakey } from "@blkstack/dm-flakey";
import type { ModelAnswer, ModelRequest } from "@blkstack/conformance";
import fc from "fast-check";
import type { LineModel, StackPart } from "../stack-part.ts";
import { isFlush, shifted } from "./remapped.ts";
import { belowAt, numberAt, onRange } from "./words.ts";

const FAILED: ModelAnswer = { status: BioStatus.IoError, bytes: null };
const DONE: ModelAnswer = { status: BioStatus.Ok, bytes: null };
const SECOND_MS = 1000;

/** Up for longer than any stack lives, or down from the beginning. */
const MOODS = [
  [100_000, 1],
  [0, 1, 1, "drop_writes"],
  [0, 1, 1, "error_writes"],
  [0, 1, 1, "error_reads"],
  [0, 1],
] as const;

export const flakeyPart: StackPart = {
  name: "flakey",
  type: flakey,
  takes: [BioOp.Discard],
  isSolid: false,
  lines: fc.constantFrom(...MOODS).map((mood) => onRange(mood)),
  model(setting) {
    const [up, down] = [numberAt(setting, 2), numberAt(setting, 3)];
    const [feature = "", ...more] = setting.words.slice(5);
    if (more.length > 0) return null;
    const plain = shifted(belowAt(setting, 0), numberAt(setting, 1));
    return {
      serve(request) {
        const isUp = Math.floor(request.atMs / SECOND_MS) % (up + down) < up;
        return (isUp ? null : whenDown(request, feature)) ?? plain.serve(request);
      },
    };
  },
};

/** Null: as when it is up. */
function whenDown({ op }: ModelRequest, feature: string): ModelAnswer | null {
  if (feature === "drop_writes") return isWriteOp(op) ? DONE : null;
  if (feature === "error_writes") return isWriteOp(op) ? FAILED : null;
  if (feature === "error_reads") return isWriteOp(op) ? null : FAILED;
  return FAILED;
}

/** Blocks go bad whenever the table has gone live, and good again as they are written. */
export const dustPart: StackPart = {
  name: "dust",
  type: dust,
  takes: [BioOp.Discard],
  isSolid: false,
  isCoupled: true,
  lines: fc
    .record({
      blockBytes: fc.constantFrom(512, 1024, 4096),
      bad: fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 }),
    })
    .map(({ blockBytes, bad }) =>
      onRange([blockBytes], {
        // So that all of these blocks are there.
        granuleSectors: (4 * blockBytes) / SECTOR_BYTES,
        messages: [...bad.map((block) => `addbadblock ${String(block)}`), "enable"],
      }),
    ),
  model(setting) {
    const plain = shifted(belowAt(setting, 0), numberAt(setting, 1));
    const blockSectors = numberAt(setting, 2) / SECTOR_BYTES;
    const bad = setting.messages.flatMap((message) => {
      const [word, block] = message.split(" ");
      return word === "addbadblock" ? [Number(block)] : [];
    });
    return new Dusty(plain, blockSectors, bad);
  },
};

class Dusty implements LineModel {
  readonly #plain: LineModel;
  readonly #blockSectors: Sectors;
  readonly #atFirst: readonly number[];
  #bad: Set<number>;

  constructor(plain: LineModel, blockSectors: Sectors, bad: readonly number[]) {
    this.#plain = plain;
    this.#blockSectors = blockSectors;
    this.#atFirst = bad;
    this.#bad = new Set(bad);
  }

  serve(request: ModelRequest): ModelAnswer {
    if (isFlush(request)) return this.#plain.serve(request);
    const { op, sector, sectors } = request;
    const first = Math.floor(sector / this.#blockSectors);
    const last = Math.floor((sector + sectors - 1) / this.#blockSectors);
    for (let block = first; block <= last; block += 1) {
      if (op !== BioOp.Read) this.#bad.delete(block);
      else if (this.#bad.has(block)) return FAILED;
    }
    return this.#plain.serve(request);
  }

  reloaded(): void {
    this.#bad = new Set(this.#atFirst);
  }
}
