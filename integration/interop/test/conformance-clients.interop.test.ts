// What standard clients find out of a server, copy, verify and replay.
import { TOOL_GROUPS } from "../src/conformance/rows.ts";
import { holdTo } from "./hold-to.ts";

holdTo(TOOL_GROUPS);
