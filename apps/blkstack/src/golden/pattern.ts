const SECTOR_BYTES = 512;
const CELL_BYTES = 16;

/** Fills `bytes`, which begins at `sector`, with the pattern of `seed`: (sector, seed) over and over. */
export function fillPattern(bytes: Uint8Array, sector: number, seed: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += CELL_BYTES) {
    view.setBigUint64(at, BigInt(sector + Math.floor(at / SECTOR_BYTES)), true);
    view.setBigUint64(at + 8, BigInt(seed), true);
  }
}

/** What stretches of sectors hold, for people: `0+16:p1@32 16+8:f00 24+1:?`. */
export function describeRuns(bytes: Uint8Array, startSector: number): string {
  const runs: { at: number; length: number; content: SectorContent }[] = [];
  for (let at = 0; at * SECTOR_BYTES < bytes.length; at += 1) {
    const content = contentOf(bytes.subarray(at * SECTOR_BYTES, (at + 1) * SECTOR_BYTES));
    const last = runs.at(-1);
    if (last !== undefined && continues(last.content, content, last.length)) last.length += 1;
    else runs.push({ at: startSector + at, length: 1, content });
  }
  return runs
    .map(({ at, length, content }) => `${String(at)}+${String(length)}:${nameOf(content)}`)
    .join(" ");
}

type SectorContent =
  | { readonly kind: "pattern"; readonly sector: bigint; readonly seed: bigint }
  | { readonly kind: "fill"; readonly byte: number }
  | { readonly kind: "other" };

function contentOf(bytes: Uint8Array): SectorContent {
  const byte = bytes[0] ?? 0;
  if (bytes.every((other) => other === byte)) return { kind: "fill", byte };
  if (!bytes.every((other, at) => at < CELL_BYTES || other === bytes[at - CELL_BYTES])) {
    return { kind: "other" };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [sector, seed] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  return { kind: "pattern", sector, seed };
}

function continues(first: SectorContent, next: SectorContent, distance: number): boolean {
  if (first.kind === "pattern" && next.kind === "pattern") {
    return first.seed === next.seed && next.sector === first.sector + BigInt(distance);
  }
  if (first.kind === "fill" && next.kind === "fill") return first.byte === next.byte;
  return first.kind === "other" && next.kind === "other";
}

function nameOf(content: SectorContent): string {
  if (content.kind === "pattern") return `p${String(content.seed)}@${String(content.sector)}`;
  return content.kind === "fill" ? `f${content.byte.toString(16).padStart(2, "0")}` : "?";
}
