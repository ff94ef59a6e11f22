import type { Tool } from "../tools.ts";
import type { Make, Role } from "./makes.ts";
import type { Target } from "./target.ts";

/** One thing that a server is held to. */
export interface Row {
  readonly id: string;
  readonly says: string;
  /** Which of its servers it is asked of; those that speak in clear, unless told. */
  readonly roles?: readonly Role[];
  /** The programs that ask. */
  readonly needs?: readonly Tool[];
  /** Whether servers of this make can be asked at all, besides having the roles. */
  readonly appliesTo?: (make: Make) => boolean;
  /** Throws when the server does something else. */
  readonly check: (target: Target) => Promise<void>;
}

/** Rows that belong together. */
export interface RowGroup {
  readonly title: string;
  readonly rows: readonly Row[];
}
