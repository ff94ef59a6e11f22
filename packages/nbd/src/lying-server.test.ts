// What our client makes of a server that closes, lies, or was never one.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { extendedRequest, option, query, RawClient, u32 } from "../test/raw-client.ts";
import { serve } from "../test/serve.ts";
import { NbdClient, NbdError } from "./index.ts";
import { Command, Option, OptionReply } from "./wire.ts";

const GREETING = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), Buffer.from([0, 3])]);
/** Flags of an export that can everything. */
const SIZE_AND_FLAGS = Buffer.from("00000000001000000fed", "hex");

function optionReply(code: number, type: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const magic = Buffer.from("0003e889045565a9", "hex");
  return Buffer.concat([magic, u32(code), u32(type), u32(data.length), data]);
}

/** How a server begins that lets a client choose. */
const CHOSEN = Buffer.concat([
  GREETING,
  optionReply(Option.Go, OptionReply.Info, Buffer.concat([Buffer.alloc(2), SIZE_AND_FLAGS])),
  optionReply(Option.Go, OptionReply.Ack),
]);

function simpleReply(cookie: bigint, data: Uint8Array): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0x6744_6698);
  head.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([head, data]);
}

/** What a client says to choose the export "" and to read twice. */
const TWO_READS_BYTES = 4 + option(Option.Go, query("")).length + 2 * 28;

/** A server that lets a client choose, and says `bytes` once it has heard of two reads. */
function reply(bytes: Uint8Array): Promise<string> {
  return speak(CHOSEN, false, bytes);
}

/**
 * A server that says `bytes` whatever it hears, and then closes, or does not; or says more when it
 * has heard of two reads. Answers its path.
 */
async function speak(bytes: Uint8Array, closes = true, later?: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-"));
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    let heardBytes = 0;
    socket.on("data", ({ length }) => {
      heardBytes += length;
      if (heardBytes === TWO_READS_BYTES && later !== undefined) socket.write(later);
    });
    if (closes) socket.end(bytes);
    else socket.write(bytes);
  });
  const path = join(folder, "socket");
  server.listen(path);
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  return path;
}

/** What our server says to a client with extended headers that reads 64 bytes. */
async function extendedConversation(): Promise<Buffer> {
  const served = await serve();
  const client = new RawClient(served.path);
  const pieces = [await client.greet()];
  client.send(option(Option.ExtendedHeaders), option(Option.Go, query("")));
  pieces.push(await client.take(20 + 20 + 12 + 20));
  client.send(extendedRequest({ command: Command.Read, length: 64 }));
  pieces.push(await client.take(32 + 8 + 64));
  client.vanish();
  return Buffer.concat(pieces);
}

const readExtended = (unix: string): Promise<Uint8Array> =>
  NbdClient.connect({ unix }, "", { extendedHeaders: true }).then((client) => client.read(0, 64));

describe("a conversation with extended headers", () => {
  it("ends in an error when the server closes after any byte of it", async () => {
    const whole = await extendedConversation();
    for (let cut = 0; cut < whole.length; cut += 1) {
      const server = await speak(whole.subarray(0, cut));
      await expect(readExtended(server)).rejects.toBeInstanceOf(NbdError);
    }
  });

  it("ends in data or an error of ours, whichever bytes of it are wrong", async () => {
    const whole = await extendedConversation();
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        const result = await readExtended(await speak(bytes)).catch((error: unknown) => error);
        expect(result instanceof NbdError || result instanceof Uint8Array).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a list", () => {
  const item = (nameBytes: number, data: Uint8Array): Buffer =>
    optionReply(Option.List, OptionReply.Server, Buffer.concat([u32(nameBytes), data]));

  it.each([
    ["a name longer than its message", item(0xffff_fff0, Buffer.from("disk"))],
    ["a message without a name's length", optionReply(Option.List, OptionReply.Server)],
    ["a message of 4 GiB", optionReply(Option.List, 2).fill(0xff, 16, 20)],
    ["an answer to another option", optionReply(Option.Go, OptionReply.Ack)],
    ["more exports than anybody reads", Buffer.concat(Array<Buffer>(10_001).fill(item(0, u32(0))))],
  ])("with %s is an error, though the server stays", async (_what, answer) => {
    const unix = await speak(Buffer.concat([GREETING, answer]), false);
    await expect(NbdClient.list({ unix })).rejects.toMatchObject({ code: "NBD_PROTOCOL" });
  });

  it("that is cut at any byte is an error", async () => {
    const whole = Buffer.concat([GREETING, item(4, Buffer.from("diskall"))]);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const unix = await speak(whole.subarray(0, cut));
      await expect(NbdClient.list({ unix })).rejects.toBeInstanceOf(NbdError);
    }
  });
});

describe("a reply", () => {
  it("is for the request with its cookie, in whatever order replies come", async () => {
    const [one, two] = [Buffer.alloc(64, 1), Buffer.alloc(64, 2)];
    const unix = await reply(Buffer.concat([simpleReply(2n, two), simpleReply(1n, one)]));
    const client = await NbdClient.connect({ unix });
    const read = await Promise.all([client.read(0, 64), client.read(64, 64)]);
    expect(read.map(([byte]) => byte)).toEqual([1, 2]);
  });

  it.each([
    ["nobody asked", simpleReply(77n, Buffer.alloc(64))],
    ["with a cookie beyond 2^53", simpleReply(2n ** 53n + 1n, Buffer.alloc(64))],
    ["without its magic", Buffer.alloc(80)],
  ])("%s ends the connection, and every request", async (_what, said) => {
    const unix = await reply(said);
    const client = await NbdClient.connect({ unix });
    const reads = await Promise.allSettled([client.read(0, 64), client.read(64, 64)]);
    expect(reads.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(client.flush()).rejects.toBeInstanceOf(NbdError);
  });

  it("that comes twice answers nobody the second time", async () => {
    const answer = simpleReply(1n, Buffer.alloc(64, 1));
    const unix = await reply(Buffer.concat([answer, answer]));
    const client = await NbdClient.connect({ unix });
    const [first, second] = await Promise.allSettled([client.read(0, 64), client.read(64, 64)]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ reason: { code: "NBD_PROTOCOL" } });
  });

  it("of an export above 2^53 bytes is refused, not rounded", async () => {
    const huge = Buffer.from(CHOSEN);
    huge.writeBigUInt64BE(2n ** 63n - 512n, 18 + 20 + 2);
    const unix = await speak(huge, false);
    await expect(NbdClient.connect({ unix })).rejects.toMatchObject({ code: "NBD_PROTOCOL" });
  });
});
