import { OptionReply } from "../../src/wire.ts";
import type { OptionAnswer } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";

const REPLY_MAGIC = 0x0003_e889_0455_65a9n;
const TEXT_BYTES_MAX = 4096;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Whether what the server owes has come: false, when the bytes end before. */
export interface AnswersRead {
  readonly at: number;
  readonly isComplete: boolean;
}

/** Reads the answers to options from `at` on; throws a Mismatch for one that should not be there. */
export function readOptionAnswers(
  bytes: Buffer,
  at: number,
  expected: readonly OptionAnswer[],
): AnswersRead {
  for (const [index, answer] of expected.entries()) {
    if (at + 20 > bytes.length) return { at, isComplete: false };
    const end = at + 20 + bytes.readUInt32BE(at + 16);
    const [option, type] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
    const where = `answer ${String(index)}, to option ${String(option)}, of type ${type.toString(16)}`;
    if (bytes.readBigUInt64BE(at) !== REPLY_MAGIC) throw new Mismatch(`${where}: no such magic`);
    if (option !== answer.option) throw new Mismatch(`${where}: is for ${String(answer.option)}`);
    if (!answer.types.includes(type)) {
      const types = answer.types.map((each) => each.toString(16)).join(" or ");
      throw new Mismatch(`${where}: must be ${types}`);
    }
    if (end > bytes.length) return { at, isComplete: false };
    const data = bytes.subarray(at + 20, end);
    const begins = answer.dataBegins;
    if (begins !== undefined && !data.subarray(0, begins.length).equals(begins)) {
      throw new Mismatch(`${where}: says ${data.toString("hex")}, not ${begins.toString("hex")}`);
    }
    if (type >= OptionReply.ErrUnsupported) checkText(data, where);
    at = end;
  }
  return { at, isComplete: true };
}

function checkText(data: Buffer, where: string): void {
  if (data.length > TEXT_BYTES_MAX)
    throw new Mismatch(`${where}: ${String(data.length)} bytes of text`);
  try {
    UTF8.decode(data);
  } catch {
    throw new Mismatch(`${where}: its text is not UTF-8`);
  }
}
