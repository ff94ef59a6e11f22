import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { metaQuery, option, query, request, u16, u32 } from "../test/raw-client.ts";
import { Dialect } from "./dialect.ts";
import { ExportTable, type NbdExport } from "./export.ts";
import { Handshake } from "./handshake.ts";
import { resolveLimits } from "./limits.ts";
import { Option, OptionReply } from "./wire.ts";

const disk: NbdExport = {
  name: "disk",
  description: "Größe",
  device: new ArrayDevice(1024 * 1024),
  isDefault: true,
};
const second: NbdExport = { name: "zweite", device: new ArrayDevice(4096), isReadOnly: true };

class Session {
  readonly handshake: Handshake;
  closed: string | null = null;
  #sent: Buffer = Buffer.alloc(0);

  constructor(exports: readonly NbdExport[] = [disk, second]) {
    this.handshake = new Handshake(new ExportTable(exports), resolveLimits(), {
      send: (bytes) => {
        this.#sent = Buffer.concat([this.#sent, bytes]);
      },
      startTls: (bytes) => {
        this.#sent = Buffer.concat([this.#sent, bytes]);
      },
      close: (reason) => {
        this.closed = reason;
      },
    });
    this.handshake.start();
  }

  push(...pieces: readonly Buffer[]): number {
    return this.handshake.push(Buffer.concat(pieces));
  }

  /** What was sent since last asked. */
  sent(): Buffer {
    const sent = this.#sent;
    this.#sent = Buffer.alloc(0);
    return sent;
  }

  /** The option replies since last asked. */
  replies(): { option: number; type: number; data: Buffer }[] {
    let rest = this.sent();
    const replies = [];
    while (rest.length > 0) {
      const length = rest.readUInt32BE(16);
      const data = rest.subarray(20, 20 + length);
      replies.push({ option: rest.readUInt32BE(8), type: rest.readUInt32BE(12), data });
      rest = rest.subarray(20 + length);
    }
    return replies;
  }

  types(): number[] {
    return this.replies().map(({ type }) => type);
  }
}

function begun(flags = 3, exports?: readonly NbdExport[]): Session {
  const session = new Session(exports);
  session.sent();
  session.push(u32(flags));
  return session;
}

const ALL_KINDS = [0, 1, 2, 3, 77, 3];

describe("the handshake", () => {
  it("greets with the fixed newstyle and the offer to leave zeroes out", () => {
    const sent = new Session().sent();
    expect(sent.toString("latin1", 0, 16)).toBe("NBDMAGICIHAVEOPT");
    expect(sent.readUInt16BE(16)).toBe(3);
  });

  it("closes on client flags that nobody knows (N02)", () => {
    expect(begun(0x8000_0003).closed).not.toBeNull();
  });

  it("refuses an unknown option and stays in step (N01, N10, N16)", () => {
    const session = begun();
    session.push(option(5), option(12), option(4711, Buffer.alloc(8192)), option(Option.List));
    expect(session.types()).toEqual([
      OptionReply.ErrUnsupported,
      OptionReply.ErrUnsupported,
      OptionReply.ErrUnsupported,
      OptionReply.Server,
      OptionReply.Server,
      OptionReply.Ack,
    ]);
  });

  it("lists every export with its description", () => {
    const session = begun();
    session.push(option(Option.List));
    const [first] = session.replies();
    expect(first?.data).toEqual(Buffer.concat([u32(4), Buffer.from("diskGröße")]));
  });

  it("refuses a LIST with data, and goes on (N03)", () => {
    const session = begun();
    session.push(option(Option.List, Buffer.from("x")), option(Option.List));
    expect(session.types()[0]).toBe(OptionReply.ErrInvalid);
    expect(session.closed).toBeNull();
  });

  it("acknowledges an ABORT, with data or without, and closes (N04)", () => {
    const session = begun();
    session.push(option(Option.Abort, Buffer.from("bye")));
    expect(session.types()).toEqual([OptionReply.Ack]);
    expect(session.closed).not.toBeNull();
  });

  it.each([
    ["a name longer than the option (N05)", Buffer.concat([u32(0xffff_fff0), u16(0)])],
    ["65535 kinds of which none is there (N06)", Buffer.concat([u32(0), u16(0xffff)])],
    ["bytes behind the last kind", Buffer.concat([query(""), u16(0)])],
    ["no room for a name", Buffer.alloc(5)],
    ["a name with NUL", query("di\0sk")],
    ["a name that is no UTF-8", Buffer.concat([u32(1), Buffer.from([0xff]), u16(0)])],
  ])("finds GO and INFO invalid with %s, and goes on", (_what, data) => {
    const session = begun();
    session.push(option(Option.Info, data), option(Option.Go, data), option(Option.List));
    expect(session.types().slice(0, 3)).toEqual([
      OptionReply.ErrInvalid,
      OptionReply.ErrInvalid,
      OptionReply.Server,
    ]);
  });

  it("knows no export of a name of 4096 bytes, and says so in 4096 bytes at most (N07)", () => {
    const session = begun();
    session.push(option(Option.Go, query("ä".repeat(2048))));
    const [reply] = session.replies();
    expect(reply?.type).toBe(OptionReply.ErrUnknown);
    expect(reply?.data.length).toBeLessThanOrEqual(4096);
    expect(reply?.data.toString()).not.toContain("\ufffd");
  });

  it("finds a name of 5000 bytes too big (N08)", () => {
    const session = begun();
    session.push(option(Option.Go, query("n".repeat(5000))));
    expect(session.types()).toEqual([OptionReply.ErrTooBig]);
  });

  it("skips an option that is understood but too long, and goes on", () => {
    const session = begun();
    session.push(option(Option.List, Buffer.alloc(500_000)), option(Option.List));
    expect(session.types()[0]).toBe(OptionReply.ErrTooBig);
    expect(session.closed).toBeNull();
  });

  it("closes on an option of 4 GiB - 1 before it has read any of it (N09)", () => {
    const session = begun();
    session.push(Buffer.from("IHAVEOPT"), u32(4711), u32(0xffff_ffff));
    expect(session.closed).not.toBeNull();
  });

  it("closes on an option without its magic", () => {
    const session = begun();
    session.push(Buffer.from("IHAVEOPX"), u32(3), u32(0));
    expect(session.closed).not.toBeNull();
  });

  it("has enough after 32 options", () => {
    const session = begun();
    for (let n = 0; n < 32; n += 1) session.push(option(4711));
    expect(session.closed).toBeNull();
    session.push(option(4711));
    expect(session.closed).not.toBeNull();
  });

  it("has patience with who asks several times about each of many exports", () => {
    const exports = Array.from({ length: 100 }, (_, n) => ({ ...second, name: String(n) }));
    const session = begun(3, exports);
    session.push(option(Option.StructuredReply), option(Option.List));
    for (const { name } of exports) {
      session.push(option(Option.Info, query(name)));
      session.push(option(Option.ListMetaContext, metaQuery(name)));
      session.push(option(Option.ListMetaContext, metaQuery(name, "qemu:")));
    }
    session.push(option(Option.Abort));
    expect(session.types().at(-1)).toBe(OptionReply.Ack);
    const talker = begun(3, exports);
    for (let n = 0; n < 408; n += 1) talker.push(option(4711));
    expect(talker.closed).toBeNull();
    talker.push(option(4711));
    expect(talker.closed).not.toBeNull();
  });

  it("agrees to structured replies once, and only without data (N14, N15)", () => {
    const session = begun();
    session.push(option(Option.StructuredReply, Buffer.from("x")));
    expect(session.handshake.dialect).toBe(Dialect.Simple);
    session.push(option(Option.StructuredReply), option(Option.StructuredReply));
    expect(session.types()).toEqual([
      OptionReply.ErrInvalid,
      OptionReply.Ack,
      OptionReply.ErrInvalid,
    ]);
    expect(session.handshake.dialect).toBe(Dialect.Structured);
  });

  it("tells of no metadata before replies are structured (N11)", () => {
    const session = begun();
    const data = metaQuery("disk", "base:allocation");
    session.push(option(Option.SetMetaContext, data), option(Option.ListMetaContext, data));
    expect(session.types()).toEqual([OptionReply.ErrInvalid, OptionReply.ErrInvalid]);
  });

  it("lists metadata contexts: all, those of a namespace, or those that are named (A15)", () => {
    const session = begun();
    session.push(option(Option.StructuredReply));
    session.sent();
    const list = (...queries: string[]): string[] => {
      session.push(option(Option.ListMetaContext, metaQuery("disk", ...queries)));
      const replies = session.replies();
      expect(replies.pop()?.type).toBe(OptionReply.Ack);
      return replies.map(({ data }) => data.toString("utf8", 4));
    };
    expect(list()).toEqual(["base:allocation", "blkstack:layer"]);
    expect(list("base:")).toEqual(["base:allocation"]);
    expect(list("qemu:", "blkstack:layer", "blkstack:layer")).toEqual(["blkstack:layer"]);
    expect(list("base")).toEqual([]);
  });

  it("selects metadata contexts by their whole names, and forgets those before (N13)", () => {
    const session = begun();
    session.push(option(Option.StructuredReply));
    const select = (...queries: string[]): string[] => {
      session.push(option(Option.SetMetaContext, metaQuery("disk", ...queries)));
      return session.handshake.selection.contexts.map(({ name }) => name);
    };
    expect(select("base:allocation")).toEqual(["base:allocation"]);
    expect(select("base:", "x-unknown:y")).toEqual([]);
    select("base:allocation");
    session.push(option(Option.SetMetaContext, metaQuery("nobody", "base:allocation")));
    expect(session.handshake.selection.contexts).toEqual([]);
    expect(session.replies().at(-1)?.type).toBe(OptionReply.ErrUnknown);
    expect(session.handshake.isOver).toBe(false);
  });

  it.each([
    ["a query longer than the option (N12)", Buffer.concat([u32(0), u32(1), u32(9)])],
    ["4 GiB - 1 queries of which none is there", Buffer.concat([u32(0), u32(0xffff_ffff)])],
    ["a name longer than the option", Buffer.concat([u32(0xffff_fff0), u32(0)])],
    ["bytes behind the last query", Buffer.concat([metaQuery("disk"), u16(0)])],
    ["no room for a count", u32(0)],
    ["nothing at all", Buffer.alloc(0)],
    ["a query that is no UTF-8", Buffer.concat([u32(0), u32(1), u32(1), Buffer.from([0xff])])],
  ])("finds options on metadata invalid with %s, and goes on", (_what, data) => {
    const session = begun();
    session.push(option(Option.StructuredReply));
    session.push(option(Option.SetMetaContext, metaQuery("disk", "base:allocation")));
    session.sent();
    session.push(option(Option.ListMetaContext, data), option(Option.SetMetaContext, data));
    session.push(option(Option.List));
    expect(session.types().slice(0, 3)).toEqual([
      OptionReply.ErrInvalid,
      OptionReply.ErrInvalid,
      OptionReply.Server,
    ]);
    expect(session.handshake.selection.contexts).toEqual([]);
  });

  it("answers GO as it answered INFO, each kind once (N17)", () => {
    const session = begun();
    session.push(option(Option.Info, query("disk", ALL_KINDS)));
    const info = session.replies().map(({ type, data }) => ({ type, data }));
    session.push(option(Option.Go, query("disk", ALL_KINDS)));
    expect(session.replies().map(({ type, data }) => ({ type, data }))).toEqual(info);
    expect(info.map(({ data }) => data.length)).toEqual([12, 6, 2 + 7, 14, 0]);
    expect(session.handshake.chosen).toBe(disk);
  });

  it("tells size, flags and block sizes", () => {
    const session = begun();
    session.push(option(Option.Info, query("disk", [3])));
    const [described, blocks] = session.replies().map(({ data }) => data);
    expect(described?.readBigUInt64BE(2)).toBe(1024n * 1024n);
    expect(described?.readUInt16BE(10)).toBe(0b1101_0110_1101);
    expect([2, 6, 10].map((at) => blocks?.readUInt32BE(at))).toEqual([1, 4096, 33_554_432]);
  });

  it("offers no changes of a read-only export", () => {
    const session = begun();
    session.push(option(Option.Go, query("zweite")));
    expect(session.replies()[0]?.data.readUInt16BE(10)).toBe(0b101_0000_1111);
  });

  it("answers EXPORT_NAME with zeroes and without (N18, N19)", () => {
    const padded = begun(1);
    padded.push(option(Option.ExportName));
    expect(padded.sent()).toHaveLength(134);
    const short = begun();
    short.push(option(Option.ExportName, Buffer.from("zweite")));
    expect(short.sent()).toHaveLength(10);
    expect(short.handshake.chosen).toBe(second);
  });

  it("closes on an EXPORT_NAME that it does not have, or is too long, without a word (N20)", () => {
    for (const name of ["nobody", "n".repeat(4097)]) {
      const session = begun();
      session.push(option(Option.ExportName, Buffer.from(name)));
      expect(session.sent()).toHaveLength(0);
      expect(session.closed).not.toBeNull();
    }
  });

  it("says and chooses the same, however the bytes are cut (N22, N23)", () => {
    const bytes = Buffer.concat([
      u32(3),
      option(4711, Buffer.alloc(40)),
      option(Option.List),
      option(Option.Go, query("nobody")),
      option(Option.Info, query("disk", [1, 3])),
      option(Option.Go, query("disk", [3])),
      request({ command: 0, length: 512 }),
    ]);
    const whole = new Session();
    expect(whole.push(bytes)).toBe(bytes.length - 28);
    const expected = whole.sent();
    const cutAnywhere = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(cutAnywhere, (lengths) => {
        const session = new Session();
        let taken = 0;
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const length = lengths[n % lengths.length] ?? 1;
          taken += session.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(taken).toBe(bytes.length - 28);
        expect(session.sent()).toEqual(expected);
        expect(session.handshake.chosen).toBe(disk);
      }),
    );
  });

  it("bears any bytes at all", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.integer({ min: 0, max: 12 }), fc.uint8Array({ maxLength: 30 }))
        .map(([code, data]) => option(code, data)),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const session = begun();
        for (const bytes of pieces) {
          const taken = session.push(bytes);
          expect(session.handshake.isOver || taken === bytes.length).toBe(true);
        }
      }),
    );
  });
});
