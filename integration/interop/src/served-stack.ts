import { BlockClient } from "./block-client.ts";
import { BLKSTACK, Served } from "./served.ts";
import { succeed } from "./tools.ts";
import { Workbench } from "./workbench.ts";

/** Where a server takes commands, and where commands find it. */
export const CONTROL: readonly string[] = ["--control", "control.sock"];

/** A folder with a stack file that is served on one socket, again and again, however each time ended. */
export class ServedStack {
  readonly bench: Workbench = new Workbench();
  readonly socket: string = this.bench.path("nbd.sock");
  #served: Served | null = null;

  /** The server of now. */
  get served(): Served {
    if (this.#served === null) throw new Error("nothing is served yet");
    return this.#served;
  }

  /** Starts a server, with these options besides; the one before must have ended. */
  async serve(stack: string, ...options: readonly string[]): Promise<void> {
    this.bench.write("stack.yaml", stack);
    const args = ["stack.yaml", "--listen", `unix:${this.socket}`, ...options];
    this.#served = await Served.start(args, this.bench.folder);
  }

  /** For a client that is told where its export is. */
  uriOf(name: string): string {
    return `nbd+unix:///${name}?socket=${this.socket}`;
  }

  open(name: string): Promise<BlockClient> {
    return BlockClient.open(this.socket, name);
  }

  /** Has a server that was started with `CONTROL` do a command; answers what the command prints. */
  command(...words: readonly string[]): Promise<string> {
    return succeed(BLKSTACK, [...words, ...CONTROL], { cwd: this.bench.folder });
  }

  /** Ends the server, whatever it does, and leaves nothing behind. */
  async clear(): Promise<void> {
    await this.#served?.stop("SIGKILL");
    this.bench.clear();
  }
}
