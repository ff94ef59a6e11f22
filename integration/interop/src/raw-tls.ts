import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import type { Pki } from "./pki.ts";
import { RawClient } from "./raw-client.ts";
import { agree, option, Option } from "./raw-protocol.ts";

/** Asks for TLS, and speaks it from then on, with Alice's certificate. */
export async function startTls(client: RawClient, { client: folder }: Pki): Promise<RawClient> {
  await agree(client, option(Option.StartTls));
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const secure = connect({
    socket: client.release(),
    ca: read("ca-cert.pem"),
    cert: read("client-cert.pem"),
    key: read("client-key.pem"),
    servername: "localhost",
  });
  await once(secure, "secureConnect");
  return RawClient.over(secure);
}
