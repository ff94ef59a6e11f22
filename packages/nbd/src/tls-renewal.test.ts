import { describe, expect, it } from "vitest";
import { serve } from "../test/serve.ts";
import { alice, certificatesOf, server, stranger } from "../test/tls-parties.ts";
import { NbdClient } from "./index.ts";

describe("other certificates or keys", () => {
  it("are for whoever comes from then on; who is there goes on", async () => {
    const served = await serve(undefined, { tls: server });
    const trust = await certificatesOf(null);
    const before = await NbdClient.connect({ unix: served.path, tls: trust });
    const other = stranger.issue({ commonName: "server", hosts: ["localhost"] });
    const use = served.server.prepareTls(other);
    await (await NbdClient.connect({ unix: served.path, tls: trust })).close();
    use();
    await expect(NbdClient.connect({ unix: served.path, tls: trust })).rejects.toMatchObject({
      code: "NBD_TLS",
    });
    const after = await NbdClient.connect({
      unix: served.path,
      tls: await certificatesOf(null, stranger),
    });
    expect(await before.read(0, 512)).toHaveLength(512);
    expect(await after.read(0, 512)).toHaveLength(512);
    await Promise.all([before.close(), after.close()]);
  });

  it("that belong together with nothing are refused, and the old ones stay", async () => {
    const served = await serve(undefined, { tls: server });
    const broken = { ...server, key: alice.key };
    expect(() => served.server.prepareTls(broken)).toThrow(/^TLS cannot be spoken with this /);
    const client = await NbdClient.connect({ unix: served.path, tls: await certificatesOf(null) });
    await client.close();
  });

  it("are nothing for a server that speaks no TLS", async () => {
    const { server: plain } = await serve();
    expect(() => plain.prepareTls(server)).toThrow("this server speaks no TLS");
  });
});
