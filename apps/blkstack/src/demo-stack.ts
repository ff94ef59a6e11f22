import { open } from "node:fs/promises";
import { join } from "node:path";
import { NbdClient } from "@blkstack/nbd";
import { parseStack } from "@blkstack/stack";
import { makeGround } from "./compose.ts";
import { DISK_KINDS } from "./disk-kinds.ts";
import { serveStack } from "./serving.ts";
import { openPlan } from "./stack-file.ts";

/** One image file of 16 MiB whose halves are swapped. */
export const DEMO_STACK = `disks:
  base: { file: ./demo.img, size: 16MiB, create: true }
devices:
  swapped: |
    0 16384 linear base 16384
    16384 16384 linear base 0
exports:
  swapped: { device: swapped }
`;

const HALF_BYTES = 8 * 2 ** 20;
const MEMORY_BYTES = 16 * 2 ** 20;

/** What was seen of the demo stack; `isRight` when it is what the table says. */
export interface DemoResult {
  readonly uri: string;
  readonly sizeBytes: number;
  readonly readBack: string;
  /** What the image file has half-way, where the table sends the first sector. */
  readonly inFile: string;
  readonly isRight: boolean;
}

/** Serves the demo stack from `folder`, and writes and reads it as a client would. */
export async function demonstrateStack(folder: string, text: string): Promise<DemoResult> {
  const ground = makeGround();
  const description = parseStack(DEMO_STACK, "demo.yaml");
  const stack = await openPlan({ description, baseDirectory: folder }, ground, DISK_KINDS);
  try {
    const options = { listen: [], hasOwnSocket: true, memoryBytes: MEMORY_BYTES };
    const serving = await serveStack(stack, ground, options);
    try {
      const { socketPath = "", uri = "" } = serving.ownSocket ?? {};
      const client = await NbdClient.connect({ unix: socketPath }, serving.exportName);
      const readBack = await writeAndRead(client, text);
      const inFile = await readFileAt(join(folder, "demo.img"), HALF_BYTES, text.length);
      const isRight = readBack === text && inFile === text;
      return { uri, sizeBytes: client.sizeBytes, readBack, inFile, isRight };
    } finally {
      await serving.close();
    }
  } finally {
    await stack.close();
  }
}

/** Writes `text` to the first sector, makes it durable, and answers what is there then. */
async function writeAndRead(client: NbdClient, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  await client.write(0, bytes);
  await client.flush();
  const back = await client.read(0, bytes.length);
  await client.close();
  return new TextDecoder().decode(back);
}

async function readFileAt(path: string, offset: number, length: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.toString("utf8");
  } finally {
    await file.close();
  }
}
