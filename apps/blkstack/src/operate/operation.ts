import { Interruption } from "@blkstack/device-mapper";
import type { Stack } from "@blkstack/stack";
import type { CliIo } from "../cli-io.ts";
import type { Ground } from "../compose.ts";
import { Commander } from "../control/commander.ts";
import { ControlSocket } from "../control/control-socket.ts";
import type { Serving } from "../serving.ts";
import type { StackPlan } from "../stack-file.ts";
import type { TlsFolder } from "../tls-folder.ts";
import { ailmentsOf } from "./health.ts";
import type { HttpAddress } from "./http-address.ts";
import { HttpServer } from "./http-server.ts";
import type { Logger } from "./logger.ts";
import { metricsOf } from "./metrics.ts";
import { Reloader, reloadText } from "./reloader.ts";
import { sdNotify, SdState } from "./sd-notify.ts";

/** What is operated. */
export interface Operated {
  readonly stack: Stack;
  readonly serving: Serving;
  readonly ground: Ground;
  /** Reads the stack file; null: there is none. */
  readonly readPlan: (() => Promise<StackPlan>) | null;
  /** Null: TLS is not spoken. */
  readonly tls: TlsFolder | null;
  readonly log: Logger;
  readonly io: CliIo;
}

/** Where operators come in; null: nowhere. */
export interface Doors {
  readonly controlPath: string | null;
  readonly http: HttpAddress | null;
}

/** A server that runs, to those who operate it: what it tells of itself, and what it is told. */
export class Operation {
  readonly #operated: Operated;
  readonly #commander: Commander;
  #control: ControlSocket | null = null;
  #http: HttpServer | null = null;
  #state: "starting" | "ready" | "stopping" = "starting";
  #unhook: () => void = () => undefined;

  private constructor(operated: Operated) {
    const { stack, serving, ground, readPlan, tls, log } = operated;
    const { exports, server } = serving;
    this.#operated = operated;
    const reloader = new Reloader({ stack, exports, server, readPlan, tls });
    const room = { stack, exports, reloader };
    this.#commander = new Commander(room, ground.scheduler, (message) => {
      log.tell({ level: "error", event: "control", message });
    });
  }

  /** Throws when a socket cannot be had; then there is none. */
  static async start(operated: Operated, { controlPath, http }: Doors): Promise<Operation> {
    const operation = new Operation(operated);
    const commander = operation.#commander;
    if (http !== null) operation.#http = await HttpServer.open(http, operation.#pages());
    try {
      if (controlPath !== null) {
        operation.#control = await ControlSocket.open(controlPath, commander);
      }
    } catch (error) {
      await operation.end();
      throw error;
    }
    const { log } = operated;
    if (operation.#http !== null) log.announce("http", `metrics at ${operation.#http.url}metrics`);
    return operation;
  }

  /** Clients may come. Waits: until systemd knows, if it wants to. */
  async ready(): Promise<void> {
    this.#state = "ready";
    // Who serves one client or one command has nothing to read again: there it is a wish to end.
    this.#unhook = this.#operated.io.onReloadSignal(() => void this.#reload());
    this.#operated.log.tell({ level: "info", event: "ready", message: "ready" });
    await this.#notify(SdState.Ready);
  }

  /** The end has begun: takes no more requests. Waits: until those under way are done, or called off. */
  async stop(): Promise<void> {
    this.#state = "stopping";
    this.#unhook();
    this.#operated.log.tell({ level: "info", event: "stopping", message: "stopping" });
    const told = this.#notify(SdState.Stopping);
    await (this.#control ?? this.#commander).close();
    await told;
  }

  /** Nothing is left to be told of. */
  async end(): Promise<void> {
    await this.#http?.close();
  }

  #pages() {
    const { stack, serving, ground, log } = this.#operated;
    const { exports, server } = serving;
    const { memory, scheduler } = ground;
    return {
      metrics: (): Promise<string> => metricsOf({ stack, exports, server, memory }),
      ailments: (): readonly string[] =>
        this.#state === "stopping" ? ["stopping"] : ailmentsOf(stack, scheduler.clock.nowMs()),
      isReady: (): boolean => this.#state === "ready",
      failed: (error: unknown): void => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        log.tell({ level: "error", event: "http", message });
      },
    };
  }

  async #reload(): Promise<void> {
    const { log } = this.#operated;
    await this.#notify(SdState.reloading());
    const { error, steps = [] } = await this.#commander.answer(
      JSON.stringify({ verb: "reload" }),
      new Interruption(),
    );
    if (error === undefined) log.announce("reload", reloadText(steps));
    else log.announce("reload-refused", `not reloaded: ${error.message}`);
    if (this.#state === "ready") await this.#notify(SdState.Ready);
  }

  async #notify(state: string): Promise<void> {
    const { io, log } = this.#operated;
    if ((io.env["NOTIFY_SOCKET"] ?? "") === "" || (await sdNotify(state, io.env))) return;
    const [what = ""] = state.split("\n");
    const message = `systemd was not told ${what}: neither koffi nor systemd-notify could`;
    log.tell({ level: "warn", event: "systemd", message });
  }
}
