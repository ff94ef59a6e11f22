import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import type { Packed } from "./packed.ts";

/** A registry on the loopback that has our packages, and nothing else, for npm to install from. */
export class LocalRegistry {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Waits: until it can be asked. */
  static async serve(packages: readonly Packed[]): Promise<LocalRegistry> {
    const answers = new Map<string, string | Buffer>();
    const server = createServer((request, response) => {
      const found = answers.get(decodeURIComponent(request.url ?? ""));
      response.writeHead(found === undefined ? 404 : 200).end(found ?? "not here");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const registry = new LocalRegistry(server);
    for (const { name, version, manifest, file } of packages) {
      const bytes = await readFile(file);
      const path = `/-/${basename(file)}`;
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      const dist = { tarball: `${registry.url}${path.slice(1)}`, integrity };
      const versions = { [version]: { ...manifest, dist } };
      const document = { name, "dist-tags": { latest: version }, versions };
      answers.set(path, bytes).set(`/${name}`, JSON.stringify(document));
    }
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
