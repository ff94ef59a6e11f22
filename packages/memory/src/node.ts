export {
  type SystemMemoryOptions,
  type SystemMemoryWatch,
  watchSystemMemory,
} from "./node/watch-system-memory.ts";
