import { COPY_ROWS } from "./copy-rows.ts";
import { FIO_ROWS } from "./fio-rows.ts";
import { LOOK_ROWS } from "./look-rows.ts";
import { NEGOTIATION_ROWS } from "./negotiation-rows.ts";
import { QEMU_IO_ROWS } from "./qemu-io-rows.ts";
import { REPLAY_ROWS } from "./replay-rows.ts";
import type { RowGroup } from "./row.ts";
import { STRUCTURED_ROWS } from "./structured-rows.ts";
import { TLS_ROWS } from "./tls-rows.ts";
import { TRANSMISSION_ROWS } from "./transmission-rows.ts";

/** Bytes of our own making. */
export const RAW_GROUPS: readonly RowGroup[] = [
  { title: "Options", rows: NEGOTIATION_ROWS },
  { title: "Requests", rows: TRANSMISSION_ROWS },
  { title: "Structured replies and block status", rows: STRUCTURED_ROWS },
];

/** Clients that other people have written. */
export const TOOL_GROUPS: readonly RowGroup[] = [
  { title: "What clients find out", rows: LOOK_ROWS },
  { title: "QEMU's reads and writes", rows: QEMU_IO_ROWS },
  { title: "Copies and layers", rows: COPY_ROWS },
  { title: "Load", rows: [...FIO_ROWS, ...REPLAY_ROWS] },
];

/** Either of both, over TLS. */
export const TLS_GROUPS: readonly RowGroup[] = [{ title: "TLS", rows: TLS_ROWS }];
