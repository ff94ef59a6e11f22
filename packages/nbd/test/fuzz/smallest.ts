import type { InsideSession } from "./random-session.ts";

/** Makes a bad session as small as it gets without becoming good: what is left is what matters. */
export async function smallest(
  session: InsideSession,
  isBad: (session: InsideSession) => Promise<boolean>,
): Promise<InsideSession> {
  let best = session;
  for (let isBetter = true; isBetter;) {
    isBetter = false;
    for (const smaller of smallerThan(best)) {
      if (!(await isBad(smaller))) continue;
      best = smaller;
      isBetter = true;
      break;
    }
  }
  return best;
}

/** The largest steps first. */
function* smallerThan(session: InsideSession): Generator<InsideSession> {
  const lists = ["requests", "options", "clear", "mutations", "pieces"] as const;
  for (const name of lists) {
    const list: readonly unknown[] = session[name];
    for (let count = list.length; count >= 1; count = Math.floor(count / 2)) {
      for (let at = 0; at < list.length; at += count) {
        yield { ...session, [name]: list.toSpliced(at, count) };
      }
    }
  }
  if (session.isLate) yield { ...session, isLate: false };
  if (session.isSlow) yield { ...session, isSlow: false };
  if (session.cut !== null) yield { ...session, cut: null };
  if (session.clearTail.length > 1) yield { ...session, clearTail: session.clearTail.slice(0, 1) };
}
