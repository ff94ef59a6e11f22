import { deepEqual, equal, ok } from "node:assert/strict";
import { RawClient } from "../raw-client.ts";
import {
  bytes32,
  choose,
  Command,
  goData,
  greet,
  option,
  Option,
  OptionReply,
  readOptionEnd,
  readReply,
  request,
} from "../raw-protocol.ts";
import type { Row } from "./row.ts";
import { SIZE_BYTES } from "./target.ts";

const { Ack, Invalid, TooBig, Unknown, Unsupported, Policy } = OptionReply;
const STRUCTURED_REPLY = 8;
const LIST_META_CONTEXT = 9;
const SET_META_CONTEXT = 10;

/** The session goes on: a LIST is answered as it should be. */
async function inSync(client: RawClient): Promise<void> {
  client.send(option(Option.List));
  const { option: answered, type } = await readOptionEnd(client);
  deepEqual([answered, type], [Option.List, Ack]);
  client.vanish();
}

/** A row of one option that must be answered with one of these, after which the session goes on. */
function answered(id: string, says: string, bytes: Buffer, ...types: readonly number[]): Row {
  return {
    id,
    says,
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(bytes);
      const { type } = await readOptionEnd(client);
      ok(types.includes(type), `answer ${type.toString(16)}`);
      await inSync(client);
    },
  };
}

const truncatedGo = goData("");
truncatedGo.writeUInt16BE(0xffff, truncatedGo.length - 2);
const longName = Buffer.concat([bytes32(0xffff_fff0), Buffer.alloc(10)]);

export const NEGOTIATION_ROWS: readonly Row[] = [
  answered(
    "N01",
    "unknown option: refused, in step",
    option(0x1234, Buffer.alloc(8192)),
    Unsupported,
  ),
  {
    id: "N02",
    says: "unknown client flag: closed",
    check: async (target) => {
      const client = await greet(target.socket("disk"), 0x8000_0003);
      equal((await client.readToEnd()).length, 0);
    },
  },
  answered("N03", "LIST with data: invalid", option(Option.List, Buffer.from("what?")), Invalid),
  {
    id: "N04",
    says: "ABORT with data: acknowledged",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(Option.Abort, Buffer.from("bye")));
      equal((await readOptionEnd(client)).type, Ack);
      await client.readToEnd();
    },
  },
  answered("N05", "INFO with a name longer than itself", option(Option.Info, longName), Invalid),
  answered(
    "N06",
    "GO without the 65535 kinds that it announces",
    option(Option.Go, truncatedGo),
    Invalid,
  ),
  answered(
    "N08",
    "a name of 5000 bytes",
    option(Option.Info, goData("x".repeat(5000))),
    ...[Unknown, TooBig, Invalid],
  ),
  answered("N10", "STARTTLS without TLS: refused", option(Option.StartTls), Unsupported, Policy),
  answered(
    "N11",
    "metadata before structured replies: invalid",
    option(SET_META_CONTEXT, Buffer.concat([bytes32(0), bytes32(0)])),
    Invalid,
  ),
  answered(
    "N14",
    "STRUCTURED_REPLY with data: invalid",
    option(STRUCTURED_REPLY, Buffer.alloc(4)),
    Invalid,
  ),
  answered("N16", "EXTENDED_HEADERS: refused or agreed to", option(11), Unsupported, Ack),
  {
    id: "N12",
    says: "a query longer than its option: refused",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(STRUCTURED_REPLY));
      equal((await readOptionEnd(client)).type, Ack);
      const data = Buffer.concat([bytes32(0), bytes32(1), bytes32(100)]);
      client.send(option(LIST_META_CONTEXT, data));
      ok([Invalid, TooBig].includes((await readOptionEnd(client)).type as 0x8000_0003));
      await inSync(client);
    },
  },
  ...[1, 3].map((flags) => ({
    id: flags === 1 ? "N18" : "N19",
    says: `EXPORT_NAME with client flags ${String(flags)}`,
    check: async (target: Parameters<Row["check"]>[0]) => {
      const client = await greet(target.socket("disk"), flags);
      client.send(option(Option.ExportName));
      const answer = await client.read(flags === 1 ? 134 : 10);
      equal(answer.readBigUInt64BE(), BigInt(SIZE_BYTES));
      client.send(request({ command: Command.Read, length: 512 }));
      equal((await readReply(client)).errno, 0);
      client.vanish();
    },
  })),
  {
    id: "N20",
    says: "EXPORT_NAME of what is not there: closed",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(Option.ExportName, Buffer.from("nothing")));
      equal((await client.readToEnd()).length, 0);
    },
  },
  {
    id: "N21",
    says: "cut at each byte: the next is served",
    check: async (target) => {
      const whole = Buffer.concat([bytes32(3), option(Option.Go, goData("", [3]))]);
      for (let length = 0; length < whole.length; length += 1) {
        const client = await RawClient.open(target.socket("disk"));
        client.send(whole.subarray(0, length));
        client.vanish();
      }
      (await choose(target.socket("disk"), "")).vanish();
    },
  },
  {
    id: "N23",
    says: "all in one segment, two reads included",
    check: async (target) => {
      const client = await RawClient.open(target.socket("disk"));
      const reads = [1, 2].map((cookie) => request({ command: 0, length: 512, cookie }));
      client.send(bytes32(3), option(Option.Go, goData("")), ...reads);
      await client.read(18);
      equal((await readOptionEnd(client)).type, Ack);
      for (let count = 0; count < 2; count += 1) {
        equal((await readReply(client)).errno, 0);
        await client.read(512);
      }
      client.vanish();
    },
  },
  {
    id: "N25",
    says: "half-open: closed within 12 s",
    check: async (target) => {
      const client = await RawClient.open(target.socket("disk"));
      await client.read(18);
      const ended = new Promise<void>((resolve) => client.socket.once("end", resolve));
      const late = new Promise((_, reject) => {
        setTimeout(reject, 12_000, new Error("is still open")).unref();
      });
      await Promise.race([ended, late]).finally(() => {
        client.vanish();
      });
    },
  },
];
