import { BlockError, type Errno } from "@blkstack/block";
import { type GroupLimits, LIMIT_MIN, LIMIT_NAMES } from "./limits.ts";

const IOPS_MAX = 0xffff_ffff;

/**
 * What `text` makes of `current`: `rbps=2097152 wiops=max`, in any order; what is not named stays,
 * what is named twice is what was said last.
 *
 * All or nothing. Throws a BlockError: ERANGE for a limit of 0, EINVAL for any other mistake.
 */
export function parseLimits(text: string, current: GroupLimits): GroupLimits {
  const limits: { -readonly [Name in keyof GroupLimits]: number } = { ...current };
  for (const word of text.split(/[ \t\n]+/).filter((part) => part !== "")) {
    const [name = "", value, ...more] = word.split("=");
    if (!isLimitName(name)) throw refusal(`"${word}" is no limit`, "EINVAL");
    if (value === undefined || more.length > 0) {
      throw refusal(`"${word}" should be ${name}=NUMBER or ${name}=max`, "EINVAL");
    }
    limits[name] = parseLimit(name, value);
  }
  return limits;
}

/** As `parseLimits`, for a line with a device in front: `8:16 rbps=1048576`. */
export function parseIoMax(
  line: string,
  limitsOf: (major: number, minor: number) => GroupLimits | undefined,
): { readonly device: string; readonly limits: GroupLimits } {
  const { major, minor, rest } =
    /^\s*(?<major>\d+):(?<minor>\d+)(?<rest>\s.*|)$/s.exec(line)?.groups ?? {};
  if (major === undefined || minor === undefined || rest === undefined) {
    throw refusal(`"${line}" should begin with MAJOR:MINOR and a blank`, "EINVAL");
  }
  const current = limitsOf(Number(major), Number(minor));
  if (current === undefined) throw refusal(`no disk has the number ${major}:${minor}`, "ENODEV");
  return { device: `${major}:${minor}`, limits: parseLimits(rest, current) };
}

/** `rbps=2097152 wbps=max riops=max wiops=120`. */
export function formatLimits(limits: GroupLimits): string {
  return LIMIT_NAMES.map((name) => {
    const limit = limits[name];
    return `${name}=${limit === Infinity ? "max" : String(limit)}`;
  }).join(" ");
}

/** The line of io.max for a device; nothing for one without limits. */
export function formatIoMax(device: string, limits: GroupLimits): string {
  const isLimited = LIMIT_NAMES.some((name) => limits[name] !== Infinity);
  return isLimited ? `${device} ${formatLimits(limits)}` : "";
}

function parseLimit(name: keyof GroupLimits, value: string): number {
  if (value === "max") return Infinity;
  const limit = /^\d+$/.test(value) ? Number(value) : NaN;
  if (limit === 0) throw refusal(`${name}=0 would let nothing through`, "ERANGE");
  if (!(limit >= LIMIT_MIN)) {
    const least = String(LIMIT_MIN);
    throw refusal(`${name}=${value} is no limit: a number from ${least} on, or max`, "EINVAL");
  }
  const most = name.endsWith("iops") ? IOPS_MAX : Number.MAX_SAFE_INTEGER;
  return limit >= most ? Infinity : limit;
}

function isLimitName(name: string): name is keyof GroupLimits {
  return (LIMIT_NAMES as readonly string[]).includes(name);
}

function refusal(message: string, errno: Errno): BlockError {
  return new BlockError("BLK_LIMITS", errno, message);
}
