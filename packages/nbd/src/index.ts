export type { ServerAddress } from "./byte-stream.ts";
export { type ChangeOptions, type ConnectOptions, NbdClient, type ZeroOptions } from "./client.ts";
export { NbdError, type NbdErrorCode } from "./client-error.ts";
export type { AllocationExtent } from "./client-status.ts";
export type { ClientTls } from "./client-tls.ts";
export { NbdDisk } from "./disk/nbd-disk.ts";
export type { NbdDiskOptions, ReconnectPolicy } from "./disk/options.ts";
export type { ListedExport } from "./client-handshake.ts";
export type { NbdExport } from "./export.ts";
export { NBD_FEATURES, type NbdFeature } from "./features.ts";
export { DEFAULT_LIMITS, type NbdLimits } from "./limits.ts";
export { type ListenAddress, Listener } from "./listener.ts";
export type { Log, LogEvent } from "./log.ts";
export {
  type ConnectionReport,
  type Listening,
  NbdServer,
  type NbdServerCounters,
  type NbdServerOptions,
} from "./server.ts";
export type { SocketTuning } from "./socket-tuning.ts";
export type { CertificateTls, PskTls, ServerTls } from "./server-tls.ts";
export { readServerTls, type ServerTlsFiles } from "./tls-files.ts";
export { formatNbdUri, type NbdAddress, parseNbdUri } from "./uri.ts";
