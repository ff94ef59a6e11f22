/** How replies travel: in whole, or in chunks. The client chooses while it negotiates. */
export const Dialect = { Simple: 0, Structured: 1 } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];
