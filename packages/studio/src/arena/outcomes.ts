// What votes mean for ratings.

/** Standard deviation of the prior of ratings, in points: models with few battles are rated too. */
export const ARENA_PRIOR = 400;

/** 1: the left side won. */
export const outcomes = { left: 1, right: 0, tie: 0.5, both_bad: 0.5 } as const;
