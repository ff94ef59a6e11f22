import { match } from "node:assert/strict";
import type { Row } from "./row.ts";
import { nothingFailed, scripted } from "./script-row.ts";

interface Io {
  readonly id: string;
  readonly says: string;
  /** Which options `qemu-io` has, besides that the image is raw. */
  readonly options?: string;
  readonly commands: readonly string[];
}

/** A row of commands of `qemu-io`, none of which may fail. */
function io({ id, says, options = "", commands }: Io): Row {
  const script = `qemu-io -f raw ${options} ${commands.map((each) => `-c '${each}'`).join(" ")} "$U"`;
  return scripted({
    id,
    says: `qemu-io: ${says}`,
    needs: ["qemu-io"],
    script,
    look: nothingFailed,
  });
}

const AIO = Array.from({ length: 64 }, (_, index) => {
  return `-P ${String(index + 1)} ${String(index * 96)}k 64k`;
});

/** What QEMU's block layer reads and writes. */
export const QEMU_IO_ROWS: readonly Row[] = [
  io({
    id: "Q01",
    says: "reads back a pattern",
    commands: ["write -P 0xaa 1M 1M", "read -P 0xaa 1M 1M"],
  }),
  io({
    id: "Q02",
    says: "writes two bytes across two blocks, and nothing beside them",
    commands: [
      "write -P 0x22 0 12k",
      "write -P 0x11 4095 2",
      "read -P 0x11 4095 2",
      "read -P 0x22 0 4095",
      "read -P 0x22 4097 8191",
    ],
  }),
  io({
    id: "Q03",
    says: "zeroes, with a hole or without, read as such; discards and flushes",
    options: "-d unmap",
    commands: [
      "write -P 0x77 0 3M",
      "write -z 0 1M",
      "write -z -u 1M 1M",
      "read -P 0 0 2M",
      "read -P 0x77 2M 1M",
      "discard 0 1M",
      "flush",
    ],
  }),
  io({
    id: "Q04",
    says: "writes with FUA, past its cache",
    options: "-t none",
    commands: ["write -f -P 0x33 0 64k", "read -P 0x33 0 64k"],
  }),
  scripted({
    id: "Q05",
    says: "qemu-io: nothing can be read past the end, up to it all can",
    needs: ["qemu-io"],
    script: `ends 1 qemu-io -f raw -c 'read 64M 512' "$U"
      qemu-io -f raw -c 'read 67108352 512' "$U"`,
  }),
  io({
    id: "Q06",
    says: "64 writes under way at once, each read back",
    commands: [
      ...AIO.map((what) => `aio_write ${what}`),
      "aio_flush",
      ...AIO.map((what) => `read ${what}`),
    ],
  }),
  scripted({
    id: "Q07",
    says: "qemu-io: a map of what is allocated",
    needs: ["qemu-io"],
    script: 'qemu-io -f raw -c map "$U"',
    look: (printed) => {
      match(printed, /\ballocated at offset 0 bytes|\(0x0\)/);
    },
  }),
];
