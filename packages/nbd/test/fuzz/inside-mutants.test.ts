// Whether the fuzzer would notice: servers that are wrong in one place each, as some once were.
import { describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import { Handshake } from "../../src/handshake.ts";
import { InFlight } from "../../src/in-flight.ts";
import type { NbdLimits } from "../../src/index.ts";
import { OPTION_HANDLERS } from "../../src/options.ts";
import { PayloadIntake } from "../../src/payload-intake.ts";
import { Request } from "../../src/request.ts";
import { ToldExport } from "../../src/told-export.ts";
import { Transmission } from "../../src/transmission.ts";
import { Option } from "../../src/wire.ts";
import { playInside } from "./inside.ts";

vi.mock("../../src/listener.ts", () => import("./memory/listener.ts"));
vi.mock("../../src/socket-reader.ts", () => import("./memory/socket-reader.ts"));
vi.mock("../../src/server-tls.ts", () => import("./memory/server-tls.ts"));

const MESSAGES_MAX = 100_000;
/** What GO and INFO bring for the default export. */
const NO_NAME = Buffer.alloc(6);

type Handler = typeof OPTION_HANDLERS extends ReadonlyMap<number, infer Value> ? Value : never;

interface Mutant {
  readonly name: string;
  /** What the fuzzer has to say of it. */
  readonly found: RegExp;
  readonly limits?: Partial<NbdLimits>;
  /** Breaks the server; answers how to mend it. */
  readonly breakIt?: () => () => void;
}

/** Puts something else in the place of a method. */
function replace<Method extends keyof Owner, Owner extends object>(
  owner: Owner,
  method: Method,
  make: (original: Owner[Method]) => Owner[Method],
): () => void {
  const original = owner[method];
  owner[method] = make(original);
  return () => {
    owner[method] = original;
  };
}

const MUTANTS: readonly Mutant[] = [
  {
    name: "leaves the payload of a refused WRITE to be taken for requests",
    found: /closed and had not answered|not asked/,
    breakIt: () => replace(PayloadIntake.prototype, "beginDiscard", () => () => undefined),
  },
  {
    name: "takes a WRITE for complete with the first bytes of its payload",
    found: /./,
    breakIt: () =>
      replace(
        PayloadIntake.prototype,
        "takeData",
        (original) =>
          function (this: PayloadIntake, request) {
            original.call(this, request);
            return request.arrivedBytes > 0;
          },
      ),
  },
  {
    name: "swaps the cookies of replies",
    found: /not asked or is answered/,
    breakIt: () => {
      let previous = 0;
      return replace(
        Connection.prototype,
        "reply",
        (original) =>
          function (this: Connection, request) {
            [request.cookieLow, previous] = [previous, request.cookieLow];
            original.call(this, request);
          },
      );
    },
  },
  {
    name: "takes a name that is longer than its option for none",
    found: /must be/,
    breakIt: () => {
      const handlers = OPTION_HANDLERS as Map<number, Handler>;
      const originals = [...handlers];
      for (const option of [Option.Info, Option.Go]) {
        const original = OPTION_HANDLERS.get(option);
        handlers.set(option, (data, session) => {
          const isLie = data.length >= 6 && data.readUInt32BE(0) > data.length - 6;
          original?.(isLie ? NO_NAME : data, session);
        });
      }
      return () => {
        for (const [option, handler] of originals) handlers.set(option, handler);
      };
    },
  },
  {
    name: "bears options without end",
    found: /nobody asked for|another greeting|closed|not answered|magic/,
    limits: { optionsMax: 1000 },
  },
  {
    name: "lets requests go a block beyond the end",
    found: /error 0|no error/,
    breakIt: () => {
      const right = Object.getOwnPropertyDescriptor(ToldExport.prototype, "sizeBytes") ?? {};
      const get = function (this: ToldExport): number {
        return Number(right.get?.call(this)) + 4096;
      };
      Object.defineProperty(ToldExport.prototype, "sizeBytes", { ...right, get });
      return () => Object.defineProperty(ToldExport.prototype, "sizeBytes", right);
    },
  },
  {
    name: "keeps the memory of requests whose client is gone",
    found: /hangs.*"pagesInUse":[1-9]/,
    breakIt: () =>
      replace(
        Transmission.prototype,
        "release",
        (original) =>
          function (this: Transmission, request) {
            if (this.isGone) request.page = null;
            original.call(this, request);
          },
      ),
  },
  {
    name: "never gives a place among those in flight back",
    found: /hangs/,
    breakIt: () => replace(InFlight.prototype, "remove", () => () => undefined),
  },
  {
    name: "writes on where the request before it in the pool had arrived",
    found: /./,
    breakIt: () =>
      replace(
        Request.prototype,
        "begin",
        (original) =>
          function (this: Request) {
            const { arrivedBytes } = this;
            original.call(this);
            this.arrivedBytes = arrivedBytes;
          },
      ),
  },
  {
    name: "remembers in TLS what was agreed on in clear",
    found: /./,
    breakIt: () =>
      replace(
        Handshake.prototype,
        "startTls",
        (original) =>
          function (this: Handshake) {
            const { dialect, selection } = this;
            original.call(this);
            this.dialect = dialect;
            this.selection = selection;
          },
      ),
  },
  {
    name: "overlooks what is said in clear behind STARTTLS",
    found: /goes on in TLS behind junk|hangs/,
    breakIt: () =>
      replace(
        Handshake.prototype,
        "push",
        (original) =>
          function (this: Handshake, bytes) {
            const taken = original.call(this, bytes);
            return this.isStartingTls ? bytes.length : taken;
          },
      ),
  },
];

describe("the fuzzer finds a server that", () => {
  it.each(MUTANTS)("$name", async ({ found, limits = {}, breakIt }) => {
    const mend = breakIt?.();
    const common = { messagesMax: MESSAGES_MAX, sessionsMax: Infinity, forMs: Infinity };
    try {
      const { bad } = await playInside({ ...common, seed: 1, limits, isShrunk: false });
      expect(bad?.why).toMatch(found);
    } finally {
      mend?.();
    }
  });

  it("is whole bears the same sessions", async () => {
    const common = { messagesMax: 10_000, sessionsMax: Infinity, forMs: Infinity };
    expect((await playInside({ ...common, seed: 1 })).bad).toBeNull();
  });
});
