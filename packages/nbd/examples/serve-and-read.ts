import { tmpdir } from "node:os";
import { join } from "node:path";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { NbdClient, NbdServer } from "@blkstack/nbd";
import { EventLoopScheduler } from "@blkstack/task/node";

const scheduler = new EventLoopScheduler();
const device = new RamDisk({ name: "ram0", sizeSectors: 2 ** 21, scheduler });
const server = new NbdServer({
  scheduler,
  submitter: new MakeRequest(),
  memory: new Memory({ scheduler }),
  exports: [{ name: "scratch", description: "1 GiB of nothing", device, isDefault: true }],
});
const unix = join(tmpdir(), `nbd-example-${String(process.pid)}`);
await server.listen({ unix });

for (const { name, description } of await NbdClient.list({ unix })) {
  console.log(`${name}: ${description}`);
}
const client = await NbdClient.connect({ unix }, "scratch");
await client.write(4095, Buffer.from("across two blocks"), { fua: true });
const data = await client.read(4095, 17);
console.log(`${String(client.sizeBytes / 2 ** 20)} MiB, "${Buffer.from(data).toString()}"`);
await client.read(2 ** 30, 1).catch((error: unknown) => {
  console.log(String(error));
});
await client.close();
await server.close();
