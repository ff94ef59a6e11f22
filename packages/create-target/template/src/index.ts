export { exampleTarget } from "./example-target.ts";
