import { equal, match, ok } from "node:assert/strict";
import { relayTo } from "../relay.ts";
import { succeed } from "../tools.ts";
import type { Row } from "./row.ts";
import { nbdshRow, scripted } from "./script-row.ts";
import { SIZE_BYTES } from "./target.ts";

const SIZE_LINE = `${String(SIZE_BYTES)}\n`;

interface Info {
  readonly protocol: string;
  readonly structured: boolean;
  readonly exports: readonly Readonly<Record<string, unknown>>[];
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** A row of one thing that an export can do. */
function can(id: string, feature: string): Row {
  const script = `nbdinfo --can ${feature} "$U"`;
  return scripted({ id, says: `nbdinfo: can ${feature}`, needs: ["nbdinfo"], script });
}

/** What standard clients find out about a server and its export. */
export const LOOK_ROWS: readonly Row[] = [
  scripted({
    id: "A01",
    says: "nbdinfo: newstyle-fixed, structured replies, size, what it can do",
    needs: ["nbdinfo"],
    script: 'nbdinfo --json --no-content "$U"',
    look: (printed) => {
      const { protocol, structured, exports } = JSON.parse(printed) as Info;
      equal(protocol, "newstyle-fixed");
      equal(structured, true);
      equal(exports[0]?.["export-size"], SIZE_BYTES);
      equal(exports[0]["is_read_only"], false);
      for (const feature of ["flush", "fua", "trim", "zero"]) {
        equal(exports[0][`can_${feature}`], true, `cannot ${feature}`);
      }
    },
  }),
  scripted({
    id: "A02",
    says: "nbdinfo: the size",
    needs: ["nbdinfo"],
    script: 'nbdinfo --size "$U"',
    look: (printed) => {
      equal(printed, SIZE_LINE);
    },
  }),
  scripted({
    id: "A03",
    says: "nbdinfo: a list, each export with its size",
    needs: ["nbdinfo"],
    script: 'nbdinfo --list --json "$U"',
    look: (printed) => {
      const sizes = (JSON.parse(printed) as Info).exports.map((each) => each["export-size"]);
      ok(sizes.length > 0, "nothing is listed");
      ok(
        sizes.every((size) => size === SIZE_BYTES),
        `sizes ${sizes.join(", ")}`,
      );
    },
  }),
  can("A04", "structured-reply"),
  can("A05", "multi-conn"),
  can("A06", "df"),
  can("A07", "fast-zero"),
  can("A08", "cache"),
  scripted({
    id: "A09",
    says: "nbdinfo: what is read-only is so, and cannot be written",
    needs: ["nbdinfo"],
    script: 'nbdinfo --is read-only "$UR"; ends 2 nbdinfo --can write "$UR"',
  }),
  scripted({
    id: "A10",
    says: "nbdinfo: the extents of the map add up to the size, none is empty",
    needs: ["nbdinfo"],
    script: 'nbdinfo --map --json "$U"',
    look: (printed) => {
      let end = 0;
      for (const { offset, length } of JSON.parse(printed) as Piece[]) {
        equal(offset, end);
        ok(length > 0, "an extent is empty");
        end += length;
      }
      equal(end, SIZE_BYTES);
    },
  }),
  scripted({
    id: "A11",
    says: "nbdinfo: a fresh sparse image is one hole, to 100 %",
    needs: ["nbdinfo"],
    script: 'nbdinfo --map --totals "$UR"',
    look: (printed) => {
      match(printed, /^\s*67108864\s+100\.0%\s+3\s+hole,zero\n$/);
    },
  }),
  scripted({
    id: "A12",
    says: "nbdinfo: no export by another name; the server stays up",
    needs: ["nbdinfo"],
    script: 'ends 1 nbdinfo --size "nbd+unix:///nosuch?socket=$S"; nbdinfo --size "$U"',
    look: (printed) => {
      equal(printed, SIZE_LINE);
    },
  }),
  scripted({
    id: "A13",
    says: "qemu-nbd --list: size, flags, block sizes, base:allocation",
    needs: ["qemu-nbd"],
    script: 'qemu-nbd --list -k "$S"',
    look: (printed) => {
      for (const line of [/size: +67108864/, /flags: .*flush/, /min block: +\d+/]) {
        match(printed, line);
      }
      for (const line of [/opt block: +\d+/, /max block: +\d+/, /base:allocation/]) {
        match(printed, line);
      }
    },
  }),
  scripted({
    id: "A14",
    says: "qemu-img info: the size",
    needs: ["qemu-img"],
    script: 'qemu-img info --output=json "$U"',
    look: (printed) => {
      equal((JSON.parse(printed) as Record<string, unknown>)["virtual-size"], SIZE_BYTES);
    },
  }),
  nbdshRow(
    "A15",
    "nbdsh: base:allocation is among the contexts of metadata",
    "names = []",
    "h.set_opt_mode(True)",
    "h.connect_uri(U)",
    "h.opt_list_meta_context(lambda name: names.append(name))",
    "h.opt_abort()",
    'assert "base:allocation" in names, names',
  ),
  nbdshRow(
    "A16",
    "nbdsh: INFO and the GO after it tell the same size",
    "h.set_opt_mode(True)",
    "h.connect_uri(U)",
    "h.opt_info()",
    "before = h.get_size()",
    "h.opt_go()",
    `assert before == h.get_size() == ${String(SIZE_BYTES)}, before`,
  ),
  nbdshRow(
    "A17",
    "nbdsh: without structured replies reads have simple ones",
    "h.set_request_structured_replies(False)",
    "h.connect_uri(U)",
    "assert not h.get_structured_replies_negotiated()",
    "assert len(h.pread(512, 0)) == 512",
  ),
  nbdshRow(
    "A18",
    "nbdsh: a client of the time before options is served (EXPORT_NAME)",
    "h.set_handshake_flags(0)",
    "h.connect_uri(U)",
    'assert h.get_protocol() == "newstyle", h.get_protocol()',
    `assert h.get_size() == ${String(SIZE_BYTES)}`,
    "assert len(h.pread(512, 0)) == 512",
  ),
  nbdshRow(
    "A19",
    "nbdsh: block sizes, where told, are powers of two in order; 32 MiB can be read",
    "h.connect_uri(U)",
    "sizes = (nbd.SIZE_MINIMUM, nbd.SIZE_PREFERRED, nbd.SIZE_MAXIMUM)",
    "least, best, most = (h.get_block_size(size) for size in sizes)",
    "if most > 0:",
    "    assert least & (least - 1) == 0 and 0 < least <= 65536, least",
    "    assert best & (best - 1) == 0 and best >= max(least, 512), best",
    "    assert most >= max(best, 32 << 20), most",
    "assert len(h.pread(max(least, 1), 0)) == max(least, 1)",
    "assert len(h.pread(32 << 20, 0)) == 32 << 20",
  ),
  nbdshRow(
    "A20",
    "nbdsh: connects and reads",
    "h.connect_uri(U)",
    "assert len(h.pread(512, 0)) == 512",
  ),
  {
    id: "L01",
    says: "nbd-client: a list, by TCP",
    needs: ["nbd-client"],
    check: async (target) => {
      const relay = await relayTo(target.socket("disk"));
      try {
        const printed = await succeed("nbd-client", ["-l", "127.0.0.1", String(relay.port)]);
        match(printed, /Negotiation: \.\.\n.*\n$/);
      } finally {
        relay.close();
      }
    },
  },
];
