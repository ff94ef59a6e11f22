import * as fs from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlockError } from "@blkstack/block";
import type { FileCalls } from "@blkstack/file-calls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, type NodeFile, openBackingFile, type OpenFileOptions } from "../node.ts";

let folder: string;
let path: string;
const opened: NodeFile[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "loop-"));
  path = join(folder, "disk.img");
});

afterEach(async () => {
  for (const file of opened.splice(0)) await file.close().catch(() => undefined);
  await rm(folder, { recursive: true });
});

async function open(options: Partial<OpenFileOptions> = {}): Promise<NodeFile> {
  const { file } = await openBackingFile({ path, ...options });
  opened.push(file);
  return file;
}

/** Calls of the system that answer reads so, and do nothing else. */
function callsThatRead(readvCached: FileCalls["readvCached"]): FileCalls {
  const refuse = (): never => {
    throw new Error("this test is about reads");
  };
  return {
    readvCached,
    readCached: refuse,
    write: refuse,
    readAhead: refuse,
    punch: refuse,
    zero: refuse,
    findData: refuse,
    findHole: refuse,
  };
}

const FRESH = { create: true, sizeBytes: 8192 } as const;

describe.each([
  ["inside the call", 1e9],
  ["on a thread", 0],
])("data that is moved %s", (_where, syncLimitBytes) => {
  it("goes where it is told, and makes the file longer", async () => {
    const file = await open({ ...FRESH, syncLimitBytes });
    const parts = [Buffer.from("hel"), Buffer.from("lo")];
    expect(await file.write(parts, 8190)).toBe(5);
    expect(file.sizeBytes).toBe(8195);
    const [front, back] = [new Uint8Array(2), new Uint8Array(100)];
    expect(await file.read([front, back], 8190)).toBe(5);
    expect(Buffer.concat([front, back]).toString("latin1", 0, 5)).toBe("hello");
    expect(await file.read([back], 9000)).toBe(0);
  });

  it("is told as the errno of the system when it cannot be moved", async () => {
    await writeFile(path, "x".repeat(512));
    const file = await open({ isReadOnly: true, syncLimitBytes });
    expect(await file.write([new Uint8Array(1)], 0)).toBe(-9);
    expect(await file.sync()).toBe(0);
  });

  it("is moved again when that was interrupted", async () => {
    let interruptions = 2;
    const interrupted = (): Error | null => {
      interruptions -= 1;
      return interruptions >= 0 ? Object.assign(new Error("EINTR"), { errno: -4 }) : null;
    };
    const files: Files = {
      ...fs,
      writevSync(fd, views, position) {
        const error = interrupted();
        if (error !== null) throw error;
        return fs.writevSync(fd, views, position);
      },
      writev(fd, views, position, done) {
        const error = interrupted();
        if (error !== null) done(error, 0);
        else fs.writev(fd, views, position, done);
      },
    };
    const file = await open({ ...FRESH, syncLimitBytes, files });
    expect(await file.write([Buffer.from("x")], 0)).toBe(1);
    expect(interruptions).toBe(-1);
  });
});

describe("syncs", () => {
  it("fail for good after the first that failed, and so does close", async () => {
    let failures = 1;
    const files: Files = {
      ...fs,
      fdatasync(fd, done) {
        failures -= 1;
        if (failures < 0) fs.fdatasync(fd, done);
        else done(Object.assign(new Error("EIO"), { errno: -5 }));
      },
    };
    const file = await open({ ...FRESH, files });
    expect(await Promise.all([file.sync(), file.sync()])).toEqual([-5, -5]);
    expect(await file.sync()).toBe(-5);
    await expect(file.close()).rejects.toThrow("what was written last may not be durable");
    expect(failures).toBe(0);
  });
});

describe("zeroes", () => {
  it("are written where there are no holes, and make the file longer", async () => {
    const file = await open({ ...FRESH, calls: null });
    await file.write([Buffer.alloc(8192, 7)], 0);
    expect(file.punchHole).toBeUndefined();
    const range = { offsetBytes: 8000, lengthBytes: 3 * 1024 * 1024 };
    expect(await file.zeroRange(range, true)).toBe(0);
    const bytes = await readFile(path);
    expect(bytes.indexOf(0)).toBe(8000);
    expect(bytes.length).toBe(8000 + 3 * 1024 * 1024);
    expect(bytes.subarray(8000).every((byte) => byte === 0)).toBe(true);
  });

  it("are holes where they may be, and written where a hole cannot be", async () => {
    const punched: number[] = [];
    let code: Error | null = null;
    const holes = {
      punch(
        _fd: number,
        { offsetBytes }: { offsetBytes: number },
        done: (e: Error | null) => void,
      ) {
        punched.push(offsetBytes);
        done(code);
      },
    };
    const file = await open({ ...FRESH, holes });
    await file.write([Buffer.alloc(8192, 7)], 0);
    const range = { offsetBytes: 512, lengthBytes: 512 };
    await file.zeroRange(range, false);
    expect(punched).toEqual([]);
    await file.zeroRange(range, true);
    expect(punched).toEqual([512]);
    code = Object.assign(new Error("EOPNOTSUPP"), { errno: -95 });
    expect(await file.punchHole?.(range)).toBe(-95);
    expect(await file.zeroRange({ ...range, offsetBytes: 1024 }, true)).toBe(0);
    expect((await readFile(path)).subarray(1024, 1536).every((byte) => byte === 0)).toBe(true);
  });
});

describe("the calls of the system", () => {
  it("punch holes, zero what must keep its space, and read what is cached", async () => {
    const file = await open(FRESH);
    await file.write([Buffer.alloc(8192, 7)], 0);
    expect(await file.zeroRange({ offsetBytes: 0, lengthBytes: 512 }, false)).toBe(0);
    expect(await file.punchHole?.({ offsetBytes: 1024, lengthBytes: 512 })).toBe(0);
    const [front, back] = [new Uint8Array(700), new Uint8Array(1000)];
    expect(file.read([front, back], 0)).toBe(1700);
    const bytes = Buffer.concat([front, back]);
    const isSeven = (at: number): boolean => (at >= 512 && at < 1024) || at >= 1536;
    expect(bytes.every((byte, at) => byte === (isSeven(at) ? 7 : 0))).toBe(true);
    expect((await stat(path)).size).toBe(8192);
  });

  it("leave a read to a thread when it would wait for the disk", async () => {
    const calls = callsThatRead(() => -11);
    const file = await open({ ...FRESH, calls, holes: null });
    const memory = new Uint8Array(4);
    const read = file.read([memory], 0);
    expect(read).toBeInstanceOf(Promise);
    expect(await read).toBe(4);
  });

  it("are not asked again by a file system that cannot tell", async () => {
    let asked = 0;
    const calls = callsThatRead(() => {
      asked += 1;
      return -95;
    });
    const file = await open({ ...FRESH, calls, holes: null });
    expect([file.read([new Uint8Array(4)], 0), file.read([new Uint8Array(4)], 0)]).toEqual([4, 4]);
    expect(asked).toBe(1);
  });
});

describe("opening", () => {
  it("makes a file of the size that is asked for, only if there is none", async () => {
    const first = await openBackingFile({ path, ...FRESH });
    opened.push(first.file);
    expect(first.isNew).toBe(true);
    expect((await stat(path)).size).toBe(8192);
    const second = await openBackingFile({ path, create: true, sizeBytes: 100_000 });
    opened.push(second.file);
    expect(second.isNew).toBe(false);
    expect(second.file.sizeBytes).toBe(8192);
  });

  it.each<[string, Partial<OpenFileOptions>, string, string]>([
    ["what is not there", {}, "ENOENT", "No such file or directory; check the path"],
    ["to make a file of no size", { create: true }, "EINVAL", "is to be made; give its size"],
    [
      "to make a file that cannot be written",
      { ...FRESH, isReadOnly: true },
      "EINVAL",
      "a new file cannot be read-only",
    ],
  ])("refuses %s", async (_what, options, errno, message) => {
    const error = await open(options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BlockError);
    expect(error).toMatchObject({ errno });
    expect((error as BlockError).message).toContain(message);
    expect((error as BlockError).message).toContain(path);
  });

  it("refuses a directory: it is neither a regular file nor a block device", async () => {
    await mkdir(path);
    await expect(open()).rejects.toMatchObject({
      errno: "EINVAL",
      message: `${path} is neither a regular file nor a block device; give one of these`,
    });
  });
});
