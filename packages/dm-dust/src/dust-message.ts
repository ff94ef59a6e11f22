import { BlockError, type Errno, type TargetHost } from "@blkstack/block";
import type { BadBlocks } from "./bad-blocks.ts";

/** What messages switch on and off. */
export interface DustSwitches {
  /** Whether bad blocks are bad; else the device is linear. */
  isEnabled: boolean;
  /** Whether blocks come and go without a word. */
  isQuiet: boolean;
}

const FAILING_WRITES_MAX = 255;

/**
 * Does what a message says, and answers what is to be printed. Throws a BlockError, EINVAL unless
 * told, for a block that is not of the device, is on the list already or is not there; ENOMEM when
 * the list is full.
 */
export function answerMessage(
  words: readonly string[],
  bad: BadBlocks,
  switches: DustSwitches,
  host: TargetHost,
): string {
  const [name = "", first = "", second = "0", ...more] = words;
  const tell = (line: string): void => {
    if (!switches.isQuiet) host.log(line);
  };
  if (words.length === 1) return answerWord(name, bad, switches, host);
  const isBlockMessage = ["addbadblock", "removebadblock", "queryblock"].includes(name);
  const takesFailures = name === "addbadblock" && words.length === 3;
  if (!isBlockMessage || more.length > 0 || !(words.length === 2 || takesFailures)) {
    throw unknown(words);
  }
  const block = blockOf(first, bad);
  if (name === "queryblock") {
    const found = bad.has(block) ? "found" : "not found";
    return `dust_query_block: block ${String(block)} ${found} in badblocklist`;
  }
  if (name === "addbadblock") {
    add(block, failingWritesOf(second), bad);
    const failures = words.length === 3 ? ` with write fail count ${second}` : "";
    tell(`badblock added at block ${String(block)}${failures}`);
    return "";
  }
  if (!bad.delete(block)) throw refusal(`block ${String(block)} not found in badblocklist`);
  tell(`badblock removed at block ${String(block)}`);
  return "";
}

function answerWord(
  name: string,
  bad: BadBlocks,
  switches: DustSwitches,
  host: TargetHost,
): string {
  switch (name) {
    case "enable":
      switches.isEnabled = true;
      host.log("enabling read failures on bad sectors");
      return "";
    case "disable":
      switches.isEnabled = false;
      host.log("disabling read failures on bad sectors");
      return "";
    case "quiet":
      switches.isQuiet = !switches.isQuiet;
      return "";
    case "countbadblocks":
      return `countbadblocks: ${String(bad.count)} badblock(s) found`;
    case "listbadblocks":
      return bad.numbers().join("\n");
    case "clearbadblocks": {
      const hadSome = bad.count > 0;
      bad.clear();
      return `dust_clear_badblocks: ${hadSome ? "badblocks cleared" : "no badblocks found"}`;
    }
    default:
      throw unknown([name]);
  }
}

function add(block: number, failingWrites: number, bad: BadBlocks): void {
  if (bad.has(block)) throw refusal(`block ${String(block)} already in badblocklist`);
  if (bad.isFull)
    throw refusal(`${String(bad.count)} bad blocks are the most there can be`, "ENOMEM");
  bad.add(block, failingWrites);
}

function blockOf(text: string, { limit }: BadBlocks): number {
  const block = /^\d+$/.test(text) ? Number(text) : NaN;
  if (block < limit) return block;
  throw refusal(`selected block value out of range: "${text}", of ${String(limit)} blocks`);
}

function failingWritesOf(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (count <= FAILING_WRITES_MAX) return count;
  throw refusal(`"${text}" is no number of failing writes: 0 to ${String(FAILING_WRITES_MAX)}`);
}

function unknown(words: readonly string[]): BlockError {
  return refusal(`unrecognized message "${words.join(" ")}"`);
}

function refusal(message: string, errno: Errno = "EINVAL"): BlockError {
  return new BlockError("BLK_STATE", errno, message);
}
