const SECTORS_PER_MIB = 2048;

export interface SnapshotSizes {
  readonly originMib: number;
  readonly storeMib: number;
  readonly chunkSectors: number;
}

/** The stack file of an image that may have snapshots one day: `vm` is the export, `base.img` the image. */
export function originStack(originMib: number): string {
  return stackOf(originMib, [], []);
}

/** The same with a snapshot of it: the export `before`, whose store is `vm.cow`. */
export function snapshotStack({ originMib, storeMib, chunkSectors }: SnapshotSizes): string {
  return stackOf(
    originMib,
    [`  cow: { file: ./vm.cow, size: ${String(storeMib)}MiB, create: true }`],
    [`before: 0 ${sectorsIn(originMib)} snapshot base cow P ${String(chunkSectors)}`],
  );
}

function stackOf(
  originMib: number,
  stores: readonly string[],
  snapshots: readonly string[],
): string {
  const devices = [`vm: 0 ${sectorsIn(originMib)} snapshot-origin base`, ...snapshots];
  const names = devices.map((device) => device.slice(0, device.indexOf(":")));
  const lines = [
    "disks:",
    `  base: { file: ./base.img, size: ${String(originMib)}MiB, create: true }`,
    ...stores,
    "devices:",
    ...devices.map((device) => `  ${device}`),
    "exports:",
    ...names.map((name) => `  ${name}: { device: ${name} }`),
  ];
  return `${lines.join("\n")}\n`;
}

function sectorsIn(mib: number): string {
  return String(mib * SECTORS_PER_MIB);
}
