export { striped } from "./striped.ts";
