export { zero } from "./zero.ts";
