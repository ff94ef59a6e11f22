import type { BioOp, Sectors } from "@blkstack/bio";
import type { TargetType } from "@blkstack/block";
import type { Model, ModelRequest, RigParts } from "@blkstack/conformance";
import type fc from "fast-check";

/** Where a line lies in its table. */
export interface LinePlace {
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
}

/** Something that a line wants to stand on. */
export interface Need {
  readonly sectors: Sectors;
  /** All of a disk or device, from its first sector on, and nobody else's. Default: a range of one. */
  readonly isWhole?: boolean;
  /** Something that keeps all that is written to it, and never fails. Default: anything. */
  readonly isSolid?: boolean;
  /** A disk of zeroes, for what the target keeps in its own way. Implies that it is whole. */
  readonly isScratch?: boolean;
}

/** What a need was given. */
export interface Below {
  readonly name: string;
  readonly startSector: Sectors;
}

/** One line for a table, before it is known where it will lie and on what. */
export interface StackLine {
  /** Its length is a multiple of this. Default: 1. */
  readonly granuleSectors?: Sectors;
  needs(place: LinePlace): readonly Need[];
  /** What stands behind the name of the target. */
  words(below: readonly Below[], place: LinePlace): readonly (string | number)[];
  /** Sent to the target whenever its table has gone live. Default: none. */
  readonly messages?: readonly string[];
  /** Devices that stand beside this one on the first thing that it stands on. Default: none. */
  readonly beside?: readonly BesideLine[];
}

/** The one line of a device that stands beside another. Its first need is what both stand on. */
export interface BesideLine {
  /** The name of the part that it is of. */
  readonly part: string;
  readonly line: StackLine;
}

/** The model of a disk, or of a device that tables name. */
export interface ModelDevice {
  readonly sizeSectors: Sectors;
  /** Whether flushes come to it; else there is nothing to flush, and they end well. */
  readonly isCached: boolean;
  takes(op: BioOp): boolean;
  serve(request: ModelRequest): ReturnType<Model["serve"]>;
}

/** A line of a table as the model reads it. */
export interface LineSetting extends LinePlace {
  readonly words: readonly string[];
  readonly messages: readonly string[];
  /** What is called so in the line. */
  below(name: string): ModelDevice;
}

/** What a line comes to. Requests are counted from where the line begins. */
export interface LineModel extends Pick<Model, "serve"> {
  /** The table was loaded anew. */
  reloaded?(): void;
}

/** A kind of target as stacks are made of it: lines of tables at random, and what they come to. */
export interface StackPart {
  /** The name of the target in tables. */
  readonly name: string;
  readonly type: TargetType;
  /** Other types that `type` needs. */
  readonly others?: readonly TargetType[];
  /** What the target finds by its class beside the memory; `words` are those of all its lines. */
  readonly services?: (parts: RigParts, words: readonly (readonly string[])[]) => readonly object[];
  /** Bios that it takes besides reads, writes and flushes, if what it stands on does. */
  readonly takes: readonly BioOp[];
  /** Keeps all that is written, and never fails, if what it stands on does so. */
  readonly isSolid: boolean;
  /** What a bio does to one sector may matter for another: such stacks get one bio at a time. */
  readonly isCoupled?: boolean;
  /** Lines at random; they shrink to the plainest. Null: it only comes beside others. */
  readonly lines: fc.Arbitrary<StackLine> | null;
  /**
   * What a line of a table comes to, by its words alone, without any of the ways how. Null: what
   * comes of this line is chance, and no model can say it.
   */
  model(setting: LineSetting): LineModel | null;
}
