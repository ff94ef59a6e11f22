import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../user-error.ts";
import type { HttpAddress } from "./http-address.ts";
import { METRICS_TYPE } from "./metrics-page.ts";

/** What is answered; each is asked anew for each request, or nearly. */
export interface Pages {
  metrics(): Promise<string>;
  /** Why this server should be looked after; nothing: it is well. */
  ailments(): readonly string[];
  /** Whether clients may come. */
  isReady(): boolean;
  /** Told of a page that could not be made; who asked for it is told only that. */
  failed(error: unknown): void;
}

const CONNECTIONS_MAX = 16;
const HEADER_BYTES_MAX = 8192;
/** To send a request, and to take the answer. */
const PATIENCE_MS = 5000;
/** How often who asks without end is told something new. */
const FRESH_MS = 100;

/**
 * Tells of a server to who measures it and who restarts it: `/metrics`, `/health` and `/ready`.
 *
 * Bounded: so many connections, so long a request, so much time for each; metrics are counted up ten
 * times a second at the most. Who takes an answer too slowly loses the connection.
 */
export class HttpServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    const { address, family, port } = server.address() as AddressInfo;
    const host = family === "IPv6" ? `[${address}]` : address;
    this.url = `http://${host}:${String(port)}/`;
    this.#server = server;
  }

  /** Throws a UserError when the address cannot be had. Waits: until it listens. */
  static async open(
    { host, port }: HttpAddress,
    pages: Pages,
    patienceMs: number = PATIENCE_MS,
  ): Promise<HttpServer> {
    const answers = new Answers(pages, patienceMs);
    const options = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: patienceMs,
      requestTimeout: patienceMs,
      keepAliveTimeout: patienceMs,
      connectionsCheckingInterval: patienceMs / 5,
    };
    const server = createServer(options, (request, response) => {
      answers.answer(request, response);
    });
    server.maxConnections = CONNECTIONS_MAX;
    // Who says nothing at all has no request whose time could be up.
    server.setTimeout(patienceMs, (socket) => void socket.destroy());
    server.listen({ host, port });
    try {
      await once(server, "listening");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(`--http ${host}:${String(port)}: ${reason}`);
    }
    return new HttpServer(server);
  }

  /** Waits: until nobody is connected; that takes no longer than a moment. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

class Answers {
  readonly #pages: Pages;
  readonly #patienceMs: number;
  #metrics: Promise<string> | null = null;
  #madeMs = -Infinity;

  constructor(pages: Pages, patienceMs: number) {
    this.#pages = pages;
    this.#patienceMs = patienceMs;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    // From here on in all: who takes a byte now and then is no better than who takes none.
    const late = setTimeout(() => request.socket.destroy(), this.#patienceMs);
    response.once("close", () => {
      clearTimeout(late);
    });
    const hasBody =
      request.headers["transfer-encoding"] !== undefined ||
      Number(request.headers["content-length"] ?? 0) > 0;
    const isGet = request.method === "GET";
    // What is not wanted is not read either.
    if (!isGet || hasBody) response.once("finish", () => request.socket.destroy());
    if (!isGet) {
      response.setHeader("allow", "GET");
      send(response, 405, "only GET\n");
    } else if (hasBody) {
      send(response, 413, "a request has no body here\n");
    } else {
      this.#get((request.url ?? "").split("?", 1)[0] ?? "", response).catch((error: unknown) => {
        this.#pages.failed(error);
        send(response, 500, "internal error\n");
      });
    }
  }

  async #get(path: string, response: ServerResponse): Promise<void> {
    if (path === "/metrics") {
      const text = await this.#freshMetrics();
      send(response, 200, text, METRICS_TYPE);
    } else if (path === "/health") {
      const ailments = this.#pages.ailments();
      send(response, ailments.length === 0 ? 200 : 503, `${ailments.join("\n") || "ok"}\n`);
    } else if (path === "/ready") {
      const isReady = this.#pages.isReady();
      send(response, isReady ? 200 : 503, isReady ? "ready\n" : "not ready\n");
    } else {
      send(response, 404, "there are /metrics, /health and /ready\n");
    }
  }

  #freshMetrics(): Promise<string> {
    const nowMs = performance.now();
    if (this.#metrics === null || nowMs - this.#madeMs >= FRESH_MS) {
      this.#metrics = this.#pages.metrics();
      this.#madeMs = nowMs;
    }
    return this.#metrics;
  }
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.end(text);
}
