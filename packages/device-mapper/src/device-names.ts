import { type BlockDevice, BlockError } from "@blkstack/block";
import type { HostOfTargets } from "./host-of-targets.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { MappedDevice } from "./mapped-device.ts";

/** One mapped device with what its users make of it. */
export interface NamedDevice {
  readonly device: MappedDevice;
  readonly lifeCycle: LifeCycle;
  readonly host: HostOfTargets;
  /** Given once, and never changed. */
  uuid: string | null;
  openCount: number;
  isRemovedAtClose: boolean;
}

const NAME_BYTES_MAX = 127;
const UUID_BYTES_MAX = 128;

/** Refuses (EINVAL) what no device can be called. */
export function checkDeviceName(name: string): void {
  const length = utf8Bytes(name);
  if (name.includes("/")) throw refusedName(name, 'contains "/"');
  if (length === 0) throw refusedName(name, "is empty");
  if (length > NAME_BYTES_MAX) throw refusedName(name, `is over ${String(NAME_BYTES_MAX)} bytes`);
}

/** Refuses (EINVAL) what cannot be a device's uuid. */
export function checkUuid(uuid: string): void {
  const length = utf8Bytes(uuid);
  if (length > 0 && length <= UUID_BYTES_MAX) return;
  const message = `a uuid takes 1 to ${String(UUID_BYTES_MAX)} bytes, not ${String(length)}`;
  throw new BlockError("BLK_STATE", "EINVAL", message);
}

function utf8Bytes(text: string): number {
  const sizes = Array.from(text, (character) => {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) return 1;
    if (point < 0x800) return 2;
    return point < 0x1_0000 ? 3 : 4;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function refusedName(name: string, why: string): BlockError {
  return new BlockError("BLK_STATE", "EINVAL", `device name "${name}" ${why}`);
}

/** Who is called what, and which number is whose. */
export class DeviceNames {
  readonly #byName = new Map<string, NamedDevice>();

  add(named: NamedDevice): void {
    this.#byName.set(named.device.name, named);
  }

  delete({ device }: NamedDevice): void {
    this.#byName.delete(device.name);
  }

  /** A minor number for a device of that name: the one asked for, or the lowest free. */
  claim(name: string, wanted?: number): number {
    const taken = new Set([...this.#byName.values()].map(({ device }) => device.minor));
    if (this.#byName.has(name)) {
      throw new BlockError("BLK_STATE", "EBUSY", `there already is a mapped device "${name}"`);
    }
    if (wanted !== undefined && taken.has(wanted)) {
      throw new BlockError("BLK_STATE", "EBUSY", `minor number ${String(wanted)} is taken`);
    }
    let minor = wanted ?? 0;
    while (taken.has(minor)) minor += 1;
    return minor;
  }

  /** Refuses (EBUSY) a uuid that another device has. */
  checkUuidIsFree(uuid: string): void {
    const owner = [...this.#byName.values()].find((named) => named.uuid === uuid);
    if (owner === undefined) return;
    const message = `mapped device "${owner.device.name}" has the uuid "${uuid}"`;
    throw new BlockError("BLK_STATE", "EBUSY", message);
  }

  /** Throws ENXIO when there is no device of that name. */
  get(name: string): NamedDevice {
    const named = this.#byName.get(name);
    if (named !== undefined) return named;
    throw new BlockError("BLK_STATE", "ENXIO", `there is no mapped device "${name}"`);
  }

  /** By name, by path or by number: `md`, `/dev/mapper/md`, `253:0`. */
  find(text: string): NamedDevice | null {
    const byName = this.#byName.get(text.replace(/^\/dev\/mapper\//, ""));
    if (byName !== undefined) return byName;
    const all = [...this.#byName.values()];
    return all.find(({ device }) => device.deviceNumber === text) ?? null;
  }

  of(device: BlockDevice): NamedDevice | null {
    const named = this.#byName.get(device.name);
    return named?.device === device ? named : null;
  }

  /** In order of their names. */
  sorted(): NamedDevice[] {
    return [...this.#byName.values()].sort((a, b) => (a.device.name < b.device.name ? -1 : 1));
  }
}
