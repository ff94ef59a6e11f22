// Byte for byte: what the server makes of options and requests, of right ones and of wrong ones.
import { RAW_GROUPS } from "../src/conformance/rows.ts";
import { holdTo } from "./hold-to.ts";

holdTo(RAW_GROUPS);
