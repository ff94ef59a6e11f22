// The one file that knows the loop outside: a search must tell when no microtask is left, let others
// run now and then, and keep to the seconds it was given. Explored code sees none of this.
/* eslint-disable no-restricted-globals -- a campaign runs in real time, unlike what it explores */

/** Milliseconds of real time. */
export function wallClockMs(): number {
  return performance.now();
}

/** Calls back once every microtask has run; answers how to call that off. */
export function onceMicrotasksAreDone(callback: () => void): () => void {
  const timer = setTimeout(callback, 0);
  return () => {
    clearTimeout(timer);
  };
}

/** Lets everything else of this process have its turn. */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
