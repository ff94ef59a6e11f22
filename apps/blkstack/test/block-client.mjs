// A client for tests of `blkstack crash`, as small as can be, for it is started again and again.
// block-client.mjs SOCKET EXPORT CONTROL DEVICE "write SECTOR BYTE; flush; mark TEXT; …"
import { connect } from "node:net";

const [, , socketPath, exportName, controlPath, device, commands] = process.argv;
const SECTOR_BYTES = 512;
const Request = { Read: 0, Write: 1, Disconnect: 2, Flush: 3 };

/** A connection from which so many bytes can be awaited. */
function open(path) {
  const socket = connect(path);
  let received = Buffer.alloc(0);
  let wake = () => undefined;
  socket.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    wake();
  });
  const take = async (count) => {
    while (received.length < count) await new Promise((resolve) => (wake = resolve));
    const taken = received.subarray(0, count);
    received = received.subarray(count);
    return taken;
  };
  return { socket, take };
}

const { socket, take } = open(socketPath);

async function choose() {
  await take(18);
  const name = Buffer.from(exportName);
  const head = Buffer.alloc(4 + 8 + 4 + 4);
  head.writeUInt32BE(3, 0);
  head.write("IHAVEOPT", 4, "latin1");
  head.writeUInt32BE(1, 12);
  head.writeUInt32BE(name.length, 16);
  socket.write(Buffer.concat([head, name]));
  await take(10);
}

async function ask(type, sector, length, data = Buffer.alloc(0)) {
  const head = Buffer.alloc(28);
  head.writeUInt32BE(0x2560_9513, 0);
  head.writeUInt16BE(type, 6);
  head.writeBigUInt64BE(BigInt(sector * SECTOR_BYTES), 16);
  head.writeUInt32BE(length, 24);
  socket.write(Buffer.concat([head, data]));
  if (type === Request.Disconnect) return Buffer.alloc(0);
  const reply = await take(16);
  if (reply.readUInt32BE(4) !== 0) throw new Error(`error ${String(reply.readUInt32BE(4))}`);
  return Buffer.from(await take(type === Request.Read ? length : 0));
}

async function mark(text) {
  const control = open(controlPath);
  const request = { verb: "dm message", name: device, sector: 0, words: ["mark", text] };
  control.socket.write(`${JSON.stringify(request)}\n`);
  await control.take(1);
  control.socket.destroy();
}

const DO = {
  write: (sector, byte) => DO.fill(sector, "1", byte),
  fill(sector, sectors, byte) {
    const data = Buffer.alloc(Number(sectors) * SECTOR_BYTES, Number(byte));
    return ask(Request.Write, Number(sector), data.length, data);
  },
  flush: () => ask(Request.Flush, 0, 0),
  mark,
  async must(sector, byte) {
    const [found] = await ask(Request.Read, Number(sector), SECTOR_BYTES);
    if (found !== Number(byte)) throw new Error(`sector ${sector} has ${String(found)}`);
  },
};

await choose();
for (const command of commands.split(";")) {
  const [verb, ...words] = command.trim().split(" ");
  await DO[verb](...words);
}
await ask(Request.Disconnect, 0, 0);
socket.end();
