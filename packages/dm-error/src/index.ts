export { error } from "./error.ts";
