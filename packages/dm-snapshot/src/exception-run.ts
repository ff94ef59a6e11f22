/** How removing an exception went. */
export const RemoveResult = {
  Removed: 0,
  Absent: 1,
  /** It lies inside a run, and only the ends of a run may go: the caller's order is wrong. */
  InsideRun: 2,
} as const;
export type RemoveResult = (typeof RemoveResult)[keyof typeof RemoveResult];

/** Told of `count` old chunks in a row that lie on equally many new ones in a row. */
export type RunVisitor = (oldChunk: number, newChunk: number, count: number) => void;
