export { RemoveResult, type RunVisitor } from "./exception-shard.ts";
export { CHUNK_LIMIT, ExceptionTable } from "./exception-table.ts";
