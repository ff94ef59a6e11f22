import type { Awaitable, Scheduler, Task } from "@blkstack/task";

/** Runs `body` as a task of its own, and answers or throws what it does. */
export function runInTask<T>(
  scheduler: Scheduler,
  name: string,
  body: (task: Task) => Awaitable<T>,
): Promise<T> {
  return new Promise((resolve) => {
    scheduler.spawn(name, async (task) => {
      const result = attempt(body, task);
      resolve(result);
      // Whoever asked hears of an error; the scheduler is not to blame.
      await result.catch(() => undefined);
    });
  });
}

async function attempt<T>(body: (task: Task) => Awaitable<T>, task: Task): Promise<T> {
  return body(task);
}
