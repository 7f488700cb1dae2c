/**
 * The objectives on whole rankings that --loss takes, by name. What reads options needs no more of
 * them.
 */
export const rankedObjectiveNames: readonly string[] = ['plackett_luce'];
