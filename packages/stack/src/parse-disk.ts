import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import type { DiskDescription, NbdDiskDescription } from "./description.ts";
import { parseSize } from "./size.ts";
import { errorAt, type StackSource } from "./stack-source.ts";

/** A disk as the schema lets it through: one of `file`, `loop`, `nbd` and `ram`. */
export interface DiskEntry {
  readonly file?: string;
  readonly loop?: string;
  readonly nbd?: string;
  readonly ram?: string | number;
  readonly offset?: string | number;
  readonly size?: string | number;
  readonly create?: boolean;
  readonly readOnly?: boolean;
  readonly direct?: boolean;
  readonly connections?: number;
  readonly reconnect?: "none" | "fail" | "reissue";
  readonly reconnectSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly writeThrough?: boolean;
}

/** Throws a StackError for a size that no disk can have, and for options that contradict. */
export function parseDisk(entry: DiskEntry, name: string, source: StackSource): DiskDescription {
  const isReadOnly = entry.readOnly ?? false;
  if (entry.ram !== undefined) {
    return { kind: "ram", sizeBytes: diskSize(entry.ram, [name, "ram"], source), isReadOnly };
  }
  const create = entry.create ?? false;
  const complain = (key: string, message: string): never => {
    throw errorAt(source, ["disks", name, key], `disk ${JSON.stringify(name)}: ${message}`);
  };
  if (create && entry.size === undefined) {
    complain("create", "create: true needs a size, as in size: 64MiB");
  }
  if (create && isReadOnly) {
    complain("readOnly", "readOnly: true and create: true contradict; leave one out");
  }
  const size =
    entry.size === undefined ? {} : { sizeBytes: diskSize(entry.size, [name, "size"], source) };
  if (entry.nbd !== undefined) {
    if (entry.reconnectSeconds !== undefined && (entry.reconnect ?? "none") === "none") {
      complain("reconnectSeconds", "reconnectSeconds needs reconnect: fail, or reissue");
    }
    return { kind: "nbd", uri: entry.nbd, ...size, ...nbdKeys(entry), isReadOnly };
  }
  if (entry.loop === undefined) {
    const direct = entry.direct === true ? { isDirect: true } : {};
    return { kind: "file", path: entry.file ?? "", ...size, create, isReadOnly, ...direct };
  }
  const { offset = 0 } = entry;
  const offsetBytes = typeof offset === "number" ? offset : parseSize(offset);
  if (offsetBytes === undefined || !Number.isSafeInteger(offsetBytes)) {
    return complain("offset", `${JSON.stringify(offset)} lies behind the end of every file`);
  }
  return { kind: "loop", path: entry.loop, offsetBytes, ...size, create, isReadOnly };
}

type NbdKeys = "connections" | "reconnect" | "reconnectMs" | "answerMs" | "writesThrough";

function nbdKeys(entry: DiskEntry): Pick<NbdDiskDescription, NbdKeys> {
  const { connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough } = entry;
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(reconnect === undefined ? {} : { reconnect }),
    ...(reconnectSeconds === undefined ? {} : { reconnectMs: reconnectSeconds * 1000 }),
    ...(timeoutSeconds === undefined ? {} : { answerMs: timeoutSeconds * 1000 }),
    ...(writeThrough === undefined ? {} : { writesThrough: writeThrough }),
  };
}

function diskSize(
  value: string | number,
  [name, key]: readonly [string, string],
  source: StackSource,
): Bytes {
  const bytes = typeof value === "number" ? value : parseSize(value);
  const complaint = sizeProblem(value, bytes);
  if (bytes !== undefined && complaint === undefined) return bytes;
  throw errorAt(
    source,
    ["disks", name, key],
    `disk ${JSON.stringify(name)}: ${JSON.stringify(value)} ${complaint ?? ""}`,
  );
}

function sizeProblem(value: string | number, bytes: Bytes | undefined): string | undefined {
  if (bytes === undefined || !Number.isSafeInteger(bytes)) {
    return "is larger than a disk can be; it should be below 8PiB";
  }
  if (bytes === 0) return "is empty; it should be at least 512 bytes";
  if (bytes % SECTOR_BYTES === 0) return undefined;
  const written = String(value) === String(bytes) ? "" : `is ${String(bytes)} bytes, which `;
  return `${written}is no multiple of 512; a disk has whole sectors`;
}
