import { type Bio, type BioStatus, invariant } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { type Awaitable, Completion, isPending, type Task } from "@blkstack/task";

/**
 * Submits a bio and waits for its end; answers its status. The bio is the caller's again, to be
 * put, or reset and used once more.
 *
 * Waits: until the bio has ended. Never to be called from inside a driver call of the same task: the
 * bio would be parked on the task until that call returns, and it would not, for it waits for the
 * bio. An `InvariantError` says so instead.
 */
export function submitAndWait(submitter: Submitter, bio: Bio, task: Task): Awaitable<BioStatus> {
  invariant(
    task.bioLists === null,
    `${task.name} would wait for a bio that it parks itself: ${bio.toString()}`,
  );
  invariant(bio.endIo === null && bio.private === null, "a bio to wait for has an endIo already");
  const end = new Completion(`end of ${bio.toString()}`, {
    scheduler: task.scheduler,
    blockers: () => [bio],
    endsBy: "any",
  });
  bio.private = end;
  bio.endIo = completeEnd;
  const submitted = submitter.submitBio(bio, task);
  if (isPending(submitted)) return waitForBoth(submitted, end, bio, task);
  const waited = end.wait(task);
  return isPending(waited) ? waited.then(() => bio.status) : bio.status;
}

async function waitForBoth(
  submitted: Promise<void>,
  end: Completion,
  bio: Bio,
  task: Task,
): Promise<BioStatus> {
  await submitted;
  await end.wait(task);
  return bio.status;
}

/** Interrupt context. */
function completeEnd(bio: Bio): void {
  const end = bio.private as Completion;
  bio.endIo = null;
  bio.private = null;
  end.complete();
}
