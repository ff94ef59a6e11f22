/**
 * How requests and replies travel: in whole, replies in chunks, or both under headers that have
 * room for 64-bit lengths. The client chooses while it negotiates.
 */
export const Dialect = { Simple: 0, Structured: 1, Extended: 2 } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];
