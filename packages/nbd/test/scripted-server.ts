import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { u16, u32, u64 } from "./raw-client.ts";

export interface Script {
  readonly isExtended?: boolean;
  /** What replies are to come in, where that is more than `isExtended` says. */
  readonly dialect?: "structured" | "extended";
  /** What base:allocation is called; absent: it is not known. */
  readonly contextId?: number;
  readonly sizeBytes?: number;
  readonly flags?: number;
  /** What GO is answered with besides the export. */
  readonly infos?: readonly Buffer[];
  /** Answers a request, by its header, with whatever bytes; null: ends the connection. */
  reply(request: Buffer): Buffer | null;
}

/** A server that behaves until the transmission begins, and then as its script says. Answers its path. */
export async function scripted(script: Script): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-script-"));
  const path = join(folder, "socket");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    play(socket, script);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  return path;
}

function play(socket: Socket, script: Script): void {
  const { dialect, contextId } = script;
  const {
    isExtended = dialect === "extended",
    sizeBytes = 64 * 1024,
    flags = 0x1 + 0x4 + 0x8,
    infos = [],
  } = script;
  let bytes = Buffer.alloc(0);
  let isGreeted = false;
  let isChosen = false;
  const optionReply = (option: number, type: number, data: Buffer): Buffer =>
    Buffer.concat([u64(0x3e889045565a9n), u32(option), u32(type), u32(data.length), data]);
  const need = (count: number): Buffer | null => {
    if (bytes.length < count) return null;
    const taken = bytes.subarray(0, count);
    bytes = bytes.subarray(count);
    return taken;
  };
  const step = (): boolean => {
    if (!isGreeted) {
      isGreeted = need(4) !== null;
      return isGreeted;
    }
    if (isChosen) {
      const request = need(isExtended ? 32 : 28);
      if (request === null) return false;
      if (request.readUInt16BE(6) === 1) need(request.readUInt32BE(isExtended ? 28 : 24));
      const reply = script.reply(request);
      if (reply === null) socket.destroy();
      else socket.write(reply);
      return reply !== null;
    }
    if (bytes.length < 16 || bytes.length < 16 + bytes.readUInt32BE(12)) return false;
    const option = bytes.readUInt32BE(8);
    need(16 + bytes.readUInt32BE(12));
    if (option === 11 || option === 8) {
      const isKnown = option === 11 ? isExtended : dialect !== undefined;
      socket.write(optionReply(option, isKnown ? 1 : 0x8000_0001, Buffer.alloc(0)));
      return true;
    }
    if (option === 10) {
      if (contextId !== undefined) {
        const context = Buffer.concat([u32(contextId), Buffer.from("base:allocation")]);
        socket.write(optionReply(10, 4, context));
      }
      socket.write(optionReply(10, 1, Buffer.alloc(0)));
      return true;
    }
    isChosen = true;
    const described = Buffer.concat([u16(0), u64(sizeBytes), u16(flags)]);
    for (const info of [described, ...infos]) socket.write(optionReply(7, 3, info));
    socket.write(optionReply(7, 1, Buffer.alloc(0)));
    return true;
  };
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (step());
  });
  socket.write(Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), u16(3)]));
}
