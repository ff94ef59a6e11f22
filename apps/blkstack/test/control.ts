import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { NbdClient } from "@blkstack/nbd";
import { onTestFinished } from "vitest";
import { run, start, temporaryFolder, type TestRun } from "./cli.ts";

/** A server with a control socket, for the length of a test. */
export class Controlled {
  readonly cwd: string;
  readonly served: TestRun;

  private constructor(cwd: string, served: TestRun) {
    this.cwd = cwd;
    this.served = served;
  }

  static async start(stack: string): Promise<Controlled> {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "s.yaml"), stack);
    const argv = ["serve", "s.yaml", "--listen", "unix:nbd", "--control", "ctl"];
    const served = start(argv, { cwd });
    onTestFinished(async () => {
      served.stop();
      await served.finished;
    });
    await served.printed("ready");
    return new Controlled(cwd, served);
  }

  /** Runs `blkstack dm …` or `blkstack export …` to its end. */
  run(argv: string, input = ""): Promise<{ status: number; stdout: string; stderr: string }> {
    const words = argv.split(" ").map((word) => word.replaceAll("_", " "));
    return run([...words, "--control", "ctl"], { cwd: this.cwd, input });
  }

  /** Runs commands that must be carried out, and answers what they print. */
  async do(...commands: readonly string[]): Promise<string> {
    let printed = "";
    for (const argv of commands) {
      const { status, stdout, stderr } = await this.run(argv);
      if (status !== 0) throw new Error(`${argv}: ${stderr}`);
      printed += stdout;
    }
    return printed;
  }

  client(name: string): Promise<NbdClient> {
    return NbdClient.connect({ unix: join(this.cwd, "nbd") }, name);
  }

  /** Somebody on the control socket who speaks as they like. */
  async connect(): Promise<Peer> {
    const socket = connect(join(this.cwd, "ctl"));
    await once(socket, "connect");
    return new Peer(socket);
  }
}

/** One end of a control socket. */
export class Peer {
  readonly socket: Socket;
  #received = "";
  #onNews: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#onNews();
    });
    socket.on("close", () => {
      this.#onNews();
    });
    // The server may close before all is sent.
    socket.on("error", () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
  }

  ask(request: object): void {
    this.socket.write(`${JSON.stringify(request)}\n`);
  }

  /** The answers, when the server has closed, or there are so many. */
  async answers(count = Infinity): Promise<unknown[]> {
    while (!this.socket.closed && this.#received.split("\n").length <= count) {
      await new Promise<void>((resolve) => (this.#onNews = resolve));
    }
    return this.#received
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  }
}
