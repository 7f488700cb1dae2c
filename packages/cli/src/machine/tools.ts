import { checkTools, SetUpError } from '@keel/torch/setup';

/** The tools that setup needs. */
export interface Tools {
  /** What was found, on one line; null if something is missing. */
  found: string | null;
  /** What is missing, with the command that installs it. */
  missing: string | null;
}

/** Runs setup's own check. */
export async function inspectTools(): Promise<Tools> {
  try {
    return { found: await checkTools(), missing: null };
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    return { found: null, missing: error.message };
  }
}
