import { equal, ok } from "node:assert/strict";
import { RawClient } from "../raw-client.ts";
import {
  agree,
  bytes32,
  Command,
  goData,
  greet,
  option,
  Option,
  OptionReply,
  readOptionEnd,
  readOptionReplies,
  readReply,
  request,
} from "../raw-protocol.ts";
import { metaContextData } from "../raw-structured.ts";
import type { Row } from "./row.ts";
import { negotiates, serves, stream } from "./step.ts";
import { SIZE_BYTES, type Target } from "./target.ts";

const MIB = 1024 * 1024;
const { Ack, Invalid, TooBig, Unknown, Unsupported, Policy } = OptionReply;

interface Answered {
  readonly id: string;
  readonly says: string;
  readonly options: readonly Buffer[];
  readonly answers: readonly number[];
  /** Whether there are structured replies by then. */
  readonly isStructured?: boolean;
}

/** A row of options that must each be answered with one of these, after which the session goes on. */
function answered({ id, says, options, answers, isStructured = false }: Answered): Row {
  return {
    id,
    says,
    check: async (target) => {
      for (const bytes of options) {
        const client = await greet(target.socket("disk"));
        if (isStructured) await agree(client, option(Option.StructuredReply));
        client.send(bytes);
        const { type } = await readOptionEnd(client);
        ok(answers.includes(type), `answer ${type.toString(16)}`);
        await negotiates(client);
      }
    },
  };
}

function named(length: number): Buffer[] {
  const data = goData("x".repeat(length));
  return [option(Option.Info, data), option(Option.Go, data)];
}

function truncatedGo(): Buffer {
  const data = goData("");
  data.writeUInt16BE(0xffff, data.length - 2);
  return option(Option.Go, data);
}

/** A row of the oldest way to choose an export, by clients with these flags. */
function exportName(id: string, clientFlags: number, answerBytes: number): Row {
  return {
    id,
    says: `EXPORT_NAME with client flags ${String(clientFlags)}: ${String(answerBytes)} bytes, then it serves`,
    check: async (target) => {
      const client = await greet(target.socket("disk"), clientFlags);
      client.send(option(Option.ExportName, Buffer.from(target.make.exportName)));
      const answer = await client.read(answerBytes);
      equal(answer.readBigUInt64BE(), BigInt(SIZE_BYTES));
      ok(
        answer.subarray(10).every((byte) => byte === 0),
        "the padding is not zero",
      );
      await serves(client);
    },
  };
}

/** What INFO or GO tells, in any order. */
async function toldBy(client: RawClient, kind: number, name: string): Promise<string> {
  client.send(option(kind, goData(name, [0, 1, 2, 3])));
  const replies = await readOptionReplies(client);
  equal(replies.at(-1)?.type, Ack);
  return replies
    .map(({ type, data }) => `${String(type)}:${data.toString("hex")}`)
    .sort()
    .join();
}

/** What servers make of options, of right ones and of wrong ones. */
export const NEGOTIATION_ROWS: readonly Row[] = [
  answered({
    id: "N01",
    says: "an unknown option with 8 KiB of data: refused, and the session goes on",
    options: [option(0x1234, Buffer.alloc(8192, 1))],
    answers: [Unsupported],
  }),
  {
    id: "N02",
    says: "an unknown client flag: closed",
    check: async (target) => {
      const client = await greet(target.socket("disk"), 0x8000_0003);
      equal((await client.readToEnd()).length, 0);
    },
  },
  answered({
    id: "N03",
    says: "LIST with data: invalid, and the session goes on",
    options: [option(Option.List, Buffer.from("what?"))],
    answers: [Invalid],
  }),
  {
    id: "N04",
    says: "ABORT with data: acknowledged, then closed",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(Option.Abort, Buffer.from("bye")));
      equal((await readOptionEnd(client)).type, Ack);
      equal((await client.readToEnd()).length, 0);
    },
  },
  answered({
    id: "N05",
    says: "INFO with a name of 4 GiB in 14 bytes: invalid, and the session goes on",
    options: [option(Option.Info, Buffer.concat([bytes32(0xffff_fff0), Buffer.alloc(10)]))],
    answers: [Invalid],
  }),
  answered({
    id: "N06",
    says: "GO without the 65535 kinds that it announces: invalid",
    options: [truncatedGo()],
    answers: [Invalid],
  }),
  answered({
    id: "N07",
    says: "INFO and GO with a name of 4096 bytes: unknown, or too big",
    options: named(4096),
    answers: [Unknown, TooBig, Invalid],
  }),
  answered({
    id: "N08",
    says: "INFO and GO with a name of 5000 bytes: unknown, or too big",
    options: named(5000),
    answers: [Unknown, TooBig, Invalid],
  }),
  {
    id: "N09",
    says: "an option of 4 GiB: takes less than 32 MiB of memory",
    check: async (target) => {
      const before = target.residentBytes("disk");
      const client = await greet(target.socket("disk"));
      client.send(option(0x1234, Buffer.alloc(0), 0xffff_ffff));
      await stream(client, 16);
      ok(target.residentBytes("disk") - before < 32 * MIB, "memory grows");
      client.vanish();
    },
  },
  answered({
    id: "N10",
    says: "STARTTLS without TLS: refused, and it goes on in clear",
    options: [option(Option.StartTls)],
    answers: [Unsupported, Policy],
  }),
  answered({
    id: "N11",
    says: "metadata before structured replies: invalid",
    options: [option(Option.SetMetaContext, metaContextData("", ["base:allocation"]))],
    answers: [Invalid],
  }),
  answered({
    id: "N12",
    says: "LIST_META_CONTEXT with a query longer than itself: refused",
    isStructured: true,
    options: [
      option(Option.ListMetaContext, Buffer.concat([bytes32(0), bytes32(1), bytes32(100)])),
    ],
    answers: [Invalid, TooBig],
  }),
  {
    id: "N13",
    says: "SET_META_CONTEXT of an unknown namespace: acknowledged, nothing chosen",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      await agree(client, option(Option.StructuredReply));
      client.send(
        option(
          Option.SetMetaContext,
          metaContextData(target.make.exportName, ["x-nobody:nothing"]),
        ),
      );
      const types = (await readOptionReplies(client)).map(({ type }) => type);
      equal(types.join(), String(Ack));
      await negotiates(client);
    },
  },
  answered({
    id: "N14",
    says: "STRUCTURED_REPLY with data: invalid",
    options: [option(Option.StructuredReply, Buffer.alloc(4))],
    answers: [Invalid],
  }),
  answered({
    id: "N15",
    says: "STRUCTURED_REPLY twice: acknowledged or invalid, and the session goes on",
    isStructured: true,
    options: [option(Option.StructuredReply)],
    answers: [Ack, Invalid],
  }),
  answered({
    id: "N16",
    says: "EXTENDED_HEADERS: agreed to or refused",
    options: [option(Option.ExtendedHeaders)],
    answers: [Ack, Unsupported],
  }),
  {
    id: "N17",
    says: "INFO, then GO: the same information",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      const { exportName } = target.make;
      const info = await toldBy(client, Option.Info, exportName);
      equal(await toldBy(client, Option.Go, exportName), info);
      await serves(client);
    },
  },
  exportName("N18", 1, 134),
  exportName("N19", 3, 10),
  {
    id: "N20",
    says: "EXPORT_NAME of what is not there: closed without a word",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(Option.ExportName, Buffer.from("nothing")));
      equal((await client.readToEnd()).length, 0);
    },
  },
  {
    id: "N21",
    says: "a negotiation cut at each byte: the next client is served",
    check: async (target) => {
      const whole = Buffer.concat([
        bytes32(3),
        option(Option.Go, goData(target.make.exportName, [3])),
      ]);
      for (let length = 0; length < whole.length; length += 1) {
        const client = await RawClient.open(target.socket("disk"));
        client.send(whole.subarray(0, length));
        if (length % 2 === 0) client.socket.end();
        else client.vanish();
      }
      await serves(await target.open("disk"));
    },
  },
  {
    id: "N22",
    says: "a negotiation one byte at a time, and a read",
    check: async (target) => {
      const client = await RawClient.open(target.socket("disk"));
      client.socket.setNoDelay(true);
      const read = request({ command: Command.Read, length: 512, cookie: 5 });
      const go = option(Option.Go, goData(target.make.exportName));
      for (const byte of Buffer.concat([bytes32(3), go, read])) {
        await new Promise((resolve) => client.socket.write(Uint8Array.of(byte), resolve));
        await new Promise(setImmediate);
      }
      await client.read(18);
      equal((await readOptionEnd(client)).type, Ack);
      equal((await readReply(client)).cookie, 5);
      client.vanish();
    },
  },
  {
    id: "N23",
    says: "all in one segment, with two reads",
    check: async (target) => {
      const client = await RawClient.open(target.socket("disk"));
      const reads = [1, 2].map((cookie) => request({ command: Command.Read, length: 512, cookie }));
      client.send(bytes32(3), option(Option.Go, goData(target.make.exportName)), ...reads);
      await client.read(18);
      equal((await readOptionEnd(client)).type, Ack);
      const cookies: number[] = [];
      for (let count = 0; count < 2; count += 1) {
        const { errno, cookie } = await readReply(client);
        equal(errno, 0);
        cookies.push(cookie);
        await client.read(512);
      }
      equal(cookies.sort().join(), "1,2");
      client.vanish();
    },
  },
  {
    id: "N24",
    says: "1000 clients that say nothing: the next one is served",
    check: async (target) => {
      const silent = await silentClients(target, 1000);
      try {
        await serves(await target.open("disk"));
      } finally {
        for (const client of silent) client.vanish();
      }
    },
  },
  {
    id: "N25",
    says: "a client that says nothing: closed within 12 s",
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

/** Clients that connect; a server may turn away those that are too many. */
async function silentClients(target: Target, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let index = 0; index < count; index += 1) {
    try {
      clients.push(await RawClient.open(target.socket("disk")));
    } catch {
      // A clear limit is an answer as good as another; what counts is the next client.
      break;
    }
  }
  return clients;
}
