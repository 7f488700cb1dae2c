import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The tools that the set-up needs. */
export interface Tools {
  /** What was found, in one line; null where something is missing. */
  found: string | null;
  /** What is missing, with the command that brings it. */
  missing: string | null;
}

const script = new URL('../../../../scripts/tools.mjs', import.meta.url);

/** Asks the set-up's own check. Without the set-up's scripts nothing is to be set up. */
export async function inspectTools(): Promise<Tools> {
  if (!existsSync(fileURLToPath(script))) return { found: null, missing: null };
  const { checkTools } = (await import(script.href)) as { checkTools(): Promise<string> };
  try {
    return { found: await checkTools(), missing: null };
  } catch (error) {
    return { found: null, missing: (error as Error).message };
  }
}
