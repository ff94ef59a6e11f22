import { ERRNO_MESSAGES } from "@blkstack/block";
import type { DeviceInfo } from "@blkstack/device-mapper";
import type { DeviceLines, Refusal } from "./answer.ts";

/** What `dmsetup` prints, line by line. */

const NOTHING = "No devices found";
const NUMBER = /^(?<major>\d+):(?<minor>\d+)$/;

/** `ls`. */
export function listText(devices: readonly DeviceInfo[]): string[] {
  if (devices.length === 0) return [NOTHING];
  return devices.map(({ name, deviceNumber }) => `${name}\t(${deviceNumber})`);
}

/** `table` and `status`. One device that was asked for by its name does without it. */
export function linesText(answers: readonly DeviceLines[], isNamed: boolean): string[] {
  if (answers.length === 0) return [NOTHING];
  return answers.flatMap(({ name, lines }) => {
    const orBlank = lines.length === 0 ? [""] : lines;
    return isNamed ? orBlank : orBlank.map((line) => `${name}: ${line}`);
  });
}

/** `deps`: numbers of devices, names of disks. */
export function depsText(answers: readonly DeviceLines[], isNamed: boolean): string[] {
  if (answers.length === 0) return [NOTHING];
  return answers.map(({ name, lines }) => {
    const places = lines.map((device) => ` (${device.replace(NUMBER, "$<major>, $<minor>")})`);
    const text = `${String(lines.length)} dependencies\t:${places.join("")}`;
    return isNamed ? text : `${name}: ${text}`;
  });
}

/** `info`: a paragraph for each device. */
export function infoText(devices: readonly DeviceInfo[]): string[] {
  if (devices.length === 0) return [NOTHING];
  return devices.flatMap((device) => [
    `Name:              ${device.name}`,
    `State:             ${stateText(device)}`,
    `Tables present:    ${tablesText(device)}`,
    `Open count:        ${String(device.openCount)}`,
    `Event number:      ${String(device.eventNumber)}`,
    `Major, minor:      ${device.deviceNumber.replace(":", ", ")}`,
    `Number of targets: ${String(device.targetCount)}`,
    ...(device.uuid === null ? [] : [`UUID: ${device.uuid}`]),
    "",
  ]);
}

function stateText({ isSuspended, isReadOnly, isRemovedAtClose }: DeviceInfo): string {
  const state = isSuspended ? "SUSPENDED" : "ACTIVE";
  return `${state}${isReadOnly ? " (READ-ONLY)" : ""}${isRemovedAtClose ? " (DEFERRED REMOVE)" : ""}`;
}

function tablesText({ hasLiveTable, hasInactiveTable }: DeviceInfo): string {
  const tables = [hasLiveTable ? "LIVE" : "", hasInactiveTable ? "INACTIVE" : ""];
  return tables.filter((text) => text !== "").join(" & ") || "None";
}

const NAME_WIDTH = 16;
const UUID_WIDTH = 32;

/** `info -c`: a row for each device. */
export function columnsText(devices: readonly DeviceInfo[], hasHeadings: boolean): string[] {
  if (devices.length === 0) return [NOTHING];
  const width = Math.max(NAME_WIDTH, ...devices.map(({ name }) => name.length));
  const head = `${"Name".padEnd(width)} Maj Min Stat Open Targ Event  ${"UUID".padEnd(UUID_WIDTH)}`;
  const rows = devices.map((device) => {
    const { name, deviceNumber, openCount, targetCount, eventNumber, uuid } = device;
    const [major = "", minor = ""] = deviceNumber.split(":");
    return [
      name.padEnd(width),
      major.padStart(3),
      minor.padStart(3),
      attributes(device),
      String(openCount).padStart(4),
      String(targetCount).padStart(4),
      String(eventNumber).padStart(6),
      (uuid ?? "").padEnd(UUID_WIDTH),
    ].join(" ");
  });
  return hasHeadings ? [head, ...rows] : rows;
}

/** `L--w`: live table, inactive table, suspended, writable. */
function attributes(device: DeviceInfo): string {
  const { hasLiveTable, hasInactiveTable, isSuspended, isReadOnly } = device;
  const flags = [hasLiveTable ? "L" : "-", hasInactiveTable ? "I" : "-", isSuspended ? "s" : "-"];
  return [...flags, isReadOnly ? "r" : "w"].join("");
}

/** What goes to standard error: why, in our words, and then what `dmsetup` says. */
export function refusalText(verb: string, name: string, refusal: Refusal): string[] {
  const { errno = "EIO", message, step = verb, detail = "" } = refusal;
  const why = Object.hasOwn(ERRNO_MESSAGES, errno)
    ? ERRNO_MESSAGES[errno as keyof typeof ERRNO_MESSAGES]
    : errno;
  return [
    `blkstack: ${message}`,
    `device-mapper: ${step} ioctl on ${name} ${detail} failed: ${why}`,
    "Command failed.",
  ];
}
