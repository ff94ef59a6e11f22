export { flakey } from "./flakey.ts";
