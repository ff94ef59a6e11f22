import type { Target } from "./target.ts";

/** One thing that a server is held to. */
export interface Row {
  readonly id: string;
  readonly says: string;
  /** Throws when the server does something else. */
  readonly check: (target: Target) => Promise<void>;
}
