export { dust } from "./dust.ts";
