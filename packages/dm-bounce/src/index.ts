export { bounce } from "./bounce-target.ts";
