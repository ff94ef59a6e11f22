import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** Emulated, and perhaps on a machine that has other things to do. */
const BOOT_MS = 180_000;
const COMMAND_MS = 60_000;
/** A guest that cannot even say what it does within this time is gone. */
const LOOK_MS = 15_000;
const CONSOLE_CHARACTERS = 20_000;
const MIB_OF_MEMORY = 512;
/** An nbd device uses as many of its connections as there are processors. */
const CPUS = 4;

/** Where the guest sees the loopback of the host. */
export const HOST_FROM_GUEST = "10.0.2.2";

/** Who waits inside the kernel and cannot be interrupted, and where. */
const LOOK = `for p in /proc/[0-9]*; do
  case $(cat $p/stat 2>/dev/null) in
    *") D "*) echo "$(tr '\\0' ' ' <$p/cmdline) [$(cat $p/comm)]: $(head -n 4 $p/stack | tr '\\n' ' ')" ;;
  esac
done`;

export interface GuestOutcome {
  readonly status: number;
  /** What it printed, on both outputs. */
  readonly output: string;
}

export interface GuestRunOptions {
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly settle: (outcome: GuestOutcome) => void;
  readonly fail: (error: Error) => void;
}

/** A Linux kernel in qemu, without a disk, whose `agent.sh` runs what it is told. */
export class Guest {
  readonly #qemu: ChildProcess;
  readonly #listener: Server;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #agent: Socket | null = null;
  #received = "";
  #console = "";
  #commands = 0;
  #hasEnded = false;

  private constructor(qemu: ChildProcess, listener: Server) {
    this.#qemu = qemu;
    this.#listener = listener;
    this.#ended = new Promise((resolve) => {
      qemu.once("error", (error) => {
        this.#console += error.message;
        resolve();
      });
      qemu.once("exit", () => {
        resolve();
      });
    });
    for (const output of [qemu.stdout, qemu.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        this.#console = (this.#console + text).slice(-CONSOLE_CHARACTERS);
      });
    }
    void this.#ended.then(() => {
      this.#hasEnded = true;
      this.#failAll(new Error(`the guest has ended: ${this.lastWords()}`));
    });
  }

  /** Boots the guest that is in the folder `kit`; has a socket in `folder`. */
  static async start(kit: string, folder: string): Promise<Guest> {
    const path = join(folder, "agent.sock");
    const listener = createServer();
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject).listen(path, resolve);
    });
    const qemu = spawn("qemu-system-x86_64", argumentsFor(kit, path), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const guest = new Guest(qemu, listener);
    try {
      await guest.#hello();
    } catch (error) {
      await guest.stop();
      throw error;
    }
    return guest;
  }

  /** Runs a command of a shell to its end, however that is; throws when it takes longer, and says who hangs. */
  async run(
    command: string,
    { timeoutMs = COMMAND_MS }: GuestRunOptions = {},
  ): Promise<GuestOutcome> {
    const outcome = await this.#ask(command, timeoutMs);
    if (outcome !== null) return outcome;
    const seconds = String(Math.round(timeoutMs / 1000));
    throw new Error(`after ${seconds} s this has not ended: ${command}\n${await this.#whoHangs()}`);
  }

  /** Runs a command that must succeed, and answers what it printed, without white space around it. */
  async succeed(command: string, options: GuestRunOptions = {}): Promise<string> {
    const { status, output } = await this.run(command, options);
    if (status === 0) return output.trim();
    throw new Error(`in the guest, ${command}\nended with ${String(status)}: ${output.trim()}`);
  }

  /** The end of what its kernel said. */
  lastWords(lines = 12): string {
    return this.#console.trim().split(/\r?\n/).slice(-lines).join("\n");
  }

  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** Switches it off as if somebody had pulled the plug. */
  async stop(): Promise<void> {
    if (this.isRunning) this.#qemu.kill("SIGKILL");
    await this.#ended;
    this.#agent?.destroy();
    this.#listener.close();
  }

  async #hello(): Promise<void> {
    const said = this.#answerOf(0, BOOT_MS);
    this.#listener.once("connection", (agent) => {
      this.#agent = agent;
      // That the guest has ended is heard of from qemu.
      agent.on("error", () => undefined);
      agent.setEncoding("latin1").on("data", (text: string) => {
        this.#take(text);
      });
    });
    if ((await said) !== null) return;
    throw new Error(
      `the guest has not booted within ${String(BOOT_MS / 1000)} s: ${this.lastWords()}`,
    );
  }

  /** Null: it takes longer than that. */
  #ask(command: string, timeoutMs: number): Promise<GuestOutcome | null> {
    this.#commands += 1;
    const number = this.#commands;
    const text = Buffer.from(command).toString("base64");
    this.#agent?.write(`${String(number)} ${text}\n`);
    return this.#answerOf(number, timeoutMs);
  }

  #answerOf(number: number, timeoutMs: number): Promise<GuestOutcome | null> {
    return new Promise((resolve, reject) => {
      if (!this.isRunning) {
        reject(new Error(`the guest has ended: ${this.lastWords()}`));
        return;
      }
      const end = (): void => {
        clearTimeout(timeout);
        this.#waiting.delete(number);
      };
      const timeout = setTimeout(() => {
        end();
        resolve(null);
      }, timeoutMs);
      this.#waiting.set(number, {
        settle: (outcome) => {
          end();
          resolve(outcome);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      });
    });
  }

  #take(text: string): void {
    const lines = (this.#received + text).split("\n");
    this.#received = lines.pop() ?? "";
    for (const line of lines) {
      const [number = "", status = "", output = ""] = line.trim().split(" ");
      const waiting = this.#waiting.get(Number(number));
      // Who has waited for too long does not wait any more.
      waiting?.settle({
        status: Number(status),
        output: Buffer.from(output, "base64").toString(),
      });
    }
  }

  async #whoHangs(): Promise<string> {
    const found = await this.#ask(LOOK, LOOK_MS);
    if (found === null)
      return `the guest does not answer any more; its kernel said:\n${this.lastWords()}`;
    const who = found.output.trim();
    const told =
      who === "" ? "nobody in the guest hangs in its kernel" : `in its kernel hang:\n${who}`;
    return `${told}\nthe kernel said:\n${this.lastWords()}`;
  }

  #failAll(error: Error): void {
    for (const { fail } of [...this.#waiting.values()]) fail(error);
  }
}

function argumentsFor(kit: string, agentSocket: string): string[] {
  return [
    ...["-M", "pc", "-m", String(MIB_OF_MEMORY), "-smp", String(CPUS)],
    ...["-no-reboot", "-display", "none"],
    ...["-serial", "stdio", "-serial", `unix:${agentSocket}`],
    ...["-nic", "user,model=virtio-net-pci"],
    ...["-kernel", join(kit, "vmlinuz"), "-initrd", join(kit, "initrd.gz")],
    ...["-append", "console=ttyS0 quiet panic=-1 work=agent"],
  ];
}
