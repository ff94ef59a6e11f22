/** What the command that fuzzes was told; without it, a little is tried of a seed of the moment. */
export const asked: {
  readonly isAsked: boolean;
  readonly seconds: number;
  readonly sessionsMax: number;
  readonly messagesMax: number;
  readonly seed: number;
  readonly timeoutMs: number;
} = readAsked();

function readAsked(): typeof asked {
  const of = (name: string): number | undefined => {
    const text = process.env[`BLKSTACK_FUZZ_${name}`];
    return text === undefined ? undefined : Number(text);
  };
  const [seconds, sessionsMax, messagesMax] = [of("SECONDS"), of("SESSIONS"), of("MESSAGES")];
  const forever = Number.POSITIVE_INFINITY;
  return {
    isAsked: (seconds ?? sessionsMax ?? messagesMax) !== undefined,
    seconds: seconds ?? 0,
    sessionsMax: sessionsMax ?? forever,
    messagesMax: messagesMax ?? forever,
    seed: of("SEED") ?? Date.now() % 2 ** 31,
    // Whoever asks for a number of messages waits for them.
    timeoutMs: seconds === undefined ? 2 ** 31 - 1 : seconds * 1000 + 120_000,
  };
}
