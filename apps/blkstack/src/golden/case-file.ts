import { readFile } from "node:fs/promises";
import path from "node:path";

/** What a disk held before the first boot, piece by piece; the rest is zero. */
type InitEntry =
  | readonly [sector: number, sectors: number, content: number | string]
  | readonly ["bytes", offsetBytes: number, hex: string]
  | readonly ["copy", caseName: string, file: string];

export interface GoldenDisk {
  /** `/dev/vda` */
  readonly dev: string;
  readonly sectors: number;
  readonly init: readonly InitEntry[];
  /** A gzip image of what was there before the first boot. */
  readonly before?: string;
  readonly before_sha256: string;
  readonly after: readonly {
    readonly boot: number;
    readonly sha256: string;
    readonly file?: string;
  }[];
}

/** One step that was recorded: which one, what with, and what came of it. */
export interface GoldenOp {
  readonly op: string;
  readonly note?: string;
  readonly rc?: number;
  readonly output?: readonly string[] | string;
  readonly kmsg?: readonly string[];
  readonly result?: string;

  readonly name?: string;
  readonly table?: readonly string[];
  readonly status?: readonly string[];
  readonly notable?: boolean;
  readonly readOnly?: boolean;
  readonly args?: readonly string[];
  readonly until_regex?: string;
  readonly cmd?: string;

  readonly dev?: string;
  readonly sector?: number;
  readonly sectors?: number;
  readonly seed?: number;
  /** `0xab` */
  readonly byte?: string;
  readonly io_sectors?: number;
  readonly fua?: boolean;
  readonly list?: readonly (readonly [sector: number, sectors: number, seed: number])[];
  readonly sha256?: string;
  readonly step?: number;
  readonly map?: readonly string[];
  readonly offset?: number;
  readonly hex?: string;
}

export interface GoldenBoot {
  readonly ops: readonly GoldenOp[];
  /** `253:0` → `dm-0 NAME`, `254:0` → `vda`. */
  readonly devices_at_end: Readonly<Record<string, string>>;
}

export interface GoldenCase {
  readonly name: string;
  /** Where its files are. */
  readonly directory: string;
  readonly disks: Readonly<Record<string, GoldenDisk>>;
  readonly boots: readonly GoldenBoot[];
}

export async function readCase(directory: string): Promise<GoldenCase> {
  const text = await readFile(path.join(directory, "case.json"), "utf8");
  return { ...(JSON.parse(text) as Omit<GoldenCase, "directory">), directory };
}
