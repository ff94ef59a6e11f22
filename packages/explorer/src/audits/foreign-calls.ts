/** A call of something that explored code should have asked its scheduler for. */
export interface ForeignCall {
  /** As it is written: `Math.random()`. */
  readonly name: string;
  /** Where it was called: a file, line and column; "" when the engine does not tell. */
  readonly site: string;
}

/** Who is told of foreign calls while its run is going on. */
export interface ForeignCallListener {
  foreignCall(call: ForeignCall): void;
}

interface Guarded {
  readonly holder: object;
  readonly key: string;
  readonly name: string;
}

const HOST = globalThis as unknown as Readonly<Record<string, object | undefined>>;

/** Clocks, chance and timers that are not the scheduler's, where the platform has them. */
const GUARDED: readonly Guarded[] = [
  ...["setTimeout", "setInterval", "setImmediate"].map((key) => inHost(key, `${key}()`)),
  ...inObject("Date", "now"),
  inHost("Date", "new Date()"),
  ...inObject("Math", "random"),
  ...inObject("performance", "now"),
  ...inObject("crypto", "randomUUID", "getRandomValues"),
  ...inObject("process", "hrtime"),
].filter(({ holder, key }) => typeof Reflect.get(holder, key) === "function");

/** The runs that are going on; several only when several searches share the process. */
const listeners: ForeignCallListener[] = [];
let restores: (() => void)[] = [];
let installations = 0;

/**
 * From here until the answer is called, foreign calls are reported to the runs that have begun.
 * They still do what they always do, so that nothing else in the process is disturbed. Nests.
 */
export function guardForeignCalls(): () => void {
  installations += 1;
  if (installations === 1) restores = GUARDED.map(install);
  return () => {
    installations -= 1;
    if (installations === 0) for (const restore of restores.splice(0)) restore();
  };
}

/** From here until `runEnds`, whatever calls is taken for explored code. */
export function runBegins(listener: ForeignCallListener): void {
  listeners.push(listener);
}

export function runEnds(listener: ForeignCallListener): void {
  if (listeners.at(-1) === listener) listeners.pop();
  else if (listeners.includes(listener)) listeners.splice(listeners.indexOf(listener), 1);
}

function install({ holder, key, name }: Guarded): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, key);
  const original = Reflect.get(holder, key) as () => unknown;
  // A proxy, so that whatever else the function has or is stays as it was.
  const guard = new Proxy(original, {
    apply(target, self, given) {
      report(name === "new Date()" ? "Date()" : name);
      return Reflect.apply(target, self, given) as unknown;
    },
    construct(target, given: unknown[], newTarget) {
      // A date that was given asks nobody for the time.
      if (given.length === 0) report(name);
      return Reflect.construct(target, given, newTarget) as object;
    },
  });
  const enumerable = before?.enumerable ?? false;
  Object.defineProperty(holder, key, {
    value: guard,
    configurable: true,
    enumerable,
    writable: true,
  });
  return () => {
    // Somebody else may have put something of their own on top meanwhile, which is theirs to undo.
    if (Reflect.get(holder, key) !== guard) return;
    if (before === undefined) Reflect.deleteProperty(holder, key);
    else Object.defineProperty(holder, key, before);
  };
}

function report(name: string): void {
  if (listeners.length === 0) return;
  const call = { name, site: callSite(new Error().stack ?? "") };
  for (const listener of listeners) listener.foreignCall(call);
}

/** The first place on the stack that is neither here nor in the platform. */
function callSite(stack: string): string {
  const [, ...frames] = stack.split("\n").filter((line) => /^\s*at /.test(line));
  const here = placeOf(stack.split("\n").find((line) => /^\s*at /.test(line)) ?? "").file;
  for (const frame of frames) {
    const { file, text } = placeOf(frame);
    if (file !== "" && file !== here && !file.startsWith("node:")) return text;
  }
  return "";
}

function placeOf(frame: string): { file: string; text: string } {
  const [, file = "", line = "", column = ""] =
    /\(?(?:file:\/\/)?([^\s()]+):(\d+):(\d+)\)?$/.exec(frame) ?? [];
  return { file, text: `${file}:${line}:${column}` };
}

function inHost(key: string, name: string): Guarded {
  return { holder: globalThis, key, name };
}

function inObject(object: string, ...keys: readonly string[]): Guarded[] {
  const holder = HOST[object];
  if (holder === undefined) return [];
  return keys.map((key) => ({ holder, key, name: `${object}.${key}()` }));
}
