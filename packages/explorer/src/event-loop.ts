// The one file that knows the loop outside: a search must tell when no microtask is left, let others
// run now and then, and keep to the seconds it was given. Explored code sees none of this.
// As they were when this was loaded: a search may guard them, and a test may have put others there.
const { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout } = globalThis;
const realClock = globalThis.performance;
const readRealClock = realClock.now.bind(realClock);

/** Milliseconds of real time. */
export function wallClockMs(): number {
  return readRealClock();
}

/** Calls back once every microtask has run; answers how to call that off. */
export function onceMicrotasksAreDone(callback: () => void): () => void {
  const timer = setRealTimeout(callback, 0);
  return () => {
    clearRealTimeout(timer);
  };
}

/** Lets everything else of this process have its turn. */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => {
    setRealTimeout(resolve, 0);
  });
}

/** A variable of the environment, where there is one; undefined also when it is empty. */
export function environmentValue(name: string): string | undefined {
  const { process: host } = globalThis as {
    process?: { env?: Record<string, string | undefined> };
  };
  const value = host?.env?.[name];
  return value === "" ? undefined : value;
}
