/** Names of the objectives on whole rankings for --loss. Reading options needs only the names. */
export const rankedObjectiveNames: readonly string[] = ['plackett_luce'];
