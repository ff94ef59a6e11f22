import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadFileCalls } from "./index.ts";
import { LinuxFileCalls } from "./linux-file-calls.ts";

const calls = (await loadFileCalls()) as LinuxFileCalls;
const EAGAIN = -11;
const ENXIO = -6;
const EBADF = -9;

let folder = "";
let fd = -1;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "file-calls-"));
  fd = fs.openSync(join(folder, "file"), "w+");
  fs.writeSync(fd, Buffer.alloc(65_536, "abcd"));
});

afterEach(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

function changed(what: "punch" | "zero", of: number, offsetBytes: number, lengthBytes: number) {
  return new Promise<NodeJS.ErrnoException | null>((resolve) => {
    calls[what](of, { offsetBytes, lengthBytes }, resolve);
  });
}

it("there are calls on this machine, and whoever asks again gets the same", async () => {
  expect(calls).toBeInstanceOf(LinuxFileCalls);
  expect(await loadFileCalls()).toBe(calls);
});

describe("what is in the page cache", () => {
  it("is read to the byte, and nothing beside it is touched", () => {
    const memory = new Uint8Array(new ArrayBuffer(64), 8, 16).fill(1);
    expect(calls.readCached(fd, memory, 3, 5, 4097)).toBe(5);
    expect(Buffer.from(memory).toString("latin1", 3, 8)).toBe("bcdab");
    expect([...memory].filter((byte) => byte === 1).length).toBe(11);
    expect(new Uint8Array(memory.buffer, 0, 8)).toEqual(new Uint8Array(8));
  });

  it("is read into many pieces", () => {
    const pieces = [new Uint8Array(3), new Uint8Array(0), new Uint8Array(40).subarray(7, 9)];
    expect(calls.readvCached(fd, pieces, 2)).toBe(5);
    expect(Buffer.concat(pieces).toString("latin1")).toBe("cdabc");
  });

  it("ends with the file, behind which there is nothing to have", () => {
    const memory = new Uint8Array(10);
    expect(calls.readCached(fd, memory, 0, 10, 65_530)).toBe(6);
    expect(calls.readCached(fd, memory, 0, 10, 65_536)).toBe(EAGAIN);
    expect(calls.readCached(987_654, memory, 0, 10, 0)).toBe(EBADF);
  });

  it.each([
    [0, 17, 0],
    [16, 1, 0],
    [-1, 4, 0],
    [0, -4, 0],
    [0.5, 4, 0],
    [NaN, 4, 0],
    [0, 4, -1],
    [0, 4, 2 ** 53],
  ])("is not read to where no memory is, nor from nowhere: at %d, %d bytes, from %d", (...args) => {
    expect(() => calls.readCached(fd, new Uint8Array(16), ...args)).toThrow(RangeError);
  });

  it("is not read into memory that went to another thread, nor into too many pieces", () => {
    const memory = new Uint8Array(4096);
    structuredClone(memory.buffer, { transfer: [memory.buffer] });
    expect(() => calls.readCached(fd, memory, 0, 4096, 0)).toThrow(RangeError);
    const pieces = Array.from({ length: 1025 }, () => new Uint8Array(1));
    expect(() => calls.readvCached(fd, pieces, 0)).toThrow("1025 pieces; give 1024 at most");
  });

  it("is asked for ahead without being read", () => {
    calls.readAhead(fd, { offsetBytes: 0, lengthBytes: 4096 });
    expect(() => {
      calls.readAhead(fd, { offsetBytes: -1, lengthBytes: 4096 });
    }).toThrow(RangeError);
  });
});

describe("what is written", () => {
  it("is so many bytes of the memory, to where they were meant", () => {
    const memory = Buffer.from("0123456789");
    expect(calls.write(fd, memory, 3, 4, 4097)).toBe(4);
    expect(fs.readFileSync(join(folder, "file")).toString("latin1", 4096, 4104)).toBe("a3456bcd");
    const part = new Uint8Array(new ArrayBuffer(4096), 512, 1024).fill(7);
    expect(calls.write(fd, part, 0, 1024, 65_536)).toBe(1024);
    expect(fs.statSync(join(folder, "file")).size).toBe(66_560);
  });

  it("is nothing where nothing may be written", () => {
    const reader = fs.openSync(join(folder, "file"), "r");
    expect(calls.write(reader, new Uint8Array(16), 0, 16, 0)).toBe(EBADF);
    fs.closeSync(reader);
  });

  it.each([
    [0, 17, 0],
    [16, 1, 0],
    [-1, 4, 0],
    [0, NaN, 0],
    [0, 4, -1],
  ])("is not taken from where no memory is: at %d, %d bytes, to %d", (...args) => {
    expect(() => calls.write(fd, new Uint8Array(16), ...args)).toThrow(RangeError);
  });
});

describe("ranges", () => {
  it("that are punched are holes, and the file keeps its size", async () => {
    expect(await changed("punch", fd, 8192, 4096)).toBe(null);
    expect([calls.findHole(fd, 0), calls.findData(fd, 8192)]).toEqual([8192, 12_288]);
    expect(await changed("punch", fd, 16_384, 2 ** 40)).toBe(null);
    expect([calls.findHole(fd, 12_288), calls.findData(fd, 16_384)]).toEqual([16_384, ENXIO]);
    expect(fs.fstatSync(fd).size).toBe(65_536);
  });

  it("that are zeroed read so and keep their space", async () => {
    const before = fs.fstatSync(fd).blocks;
    expect(await changed("zero", fd, 0, 65_536)).toBe(null);
    expect(fs.readFileSync(join(folder, "file")).every((byte) => byte === 0)).toBe(true);
    expect(fs.fstatSync(fd).blocks).toBeGreaterThanOrEqual(before);
  });

  it("that cannot be changed are told with the errno of the system", async () => {
    const reader = fs.openSync(join(folder, "file"), "r");
    const error = await changed("punch", reader, 0, 4096);
    expect(error).toMatchObject({ code: "EBADF", errno: EBADF, message: "EBADF: fallocate" });
    fs.closeSync(reader);
  });

  it("that are none are refused", () => {
    for (const [offsetBytes, lengthBytes] of [
      [-1, 1],
      [0, 0],
      [0.5, 1],
      [0, NaN],
    ] as const) {
      expect(() => {
        calls.punch(fd, { offsetBytes, lengthBytes }, () => undefined);
      }).toThrow(RangeError);
    }
  });

  it("may be a thousand at once", async () => {
    const all = Array.from({ length: 1000 }, (_, index) => changed("punch", fd, index * 8, 8));
    expect((await Promise.all(all)).every((error) => error === null)).toBe(true);
    const bytes = fs.readFileSync(join(folder, "file"));
    expect(bytes.findIndex((byte) => byte !== 0)).toBe(8000);
  });
});
