// What clients make of a server that speaks TLS, with certificates, with keys, and with neither.
import { describe } from "vitest";
import { TLS_GROUPS } from "../src/conformance/rows.ts";
import { isMissing } from "../src/tools.ts";
import { holdTo } from "./hold-to.ts";

describe.skipIf(isMissing("openssl"))("by a server of certificates and one of keys", () => {
  holdTo(TLS_GROUPS, ["certificate", "key"]);
});
