import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The tools that setup needs. */
export interface Tools {
  /** What was found, on one line; null if something is missing. */
  found: string | null;
  /** What is missing, with the command that installs it. */
  missing: string | null;
}

const script = new URL('../../../../scripts/tools.mjs', import.meta.url);

/** Runs setup's own check. An installation without setup's scripts needs no tools. */
export async function inspectTools(): Promise<Tools> {
  if (!existsSync(fileURLToPath(script))) return { found: null, missing: null };
  const { checkTools } = (await import(script.href)) as { checkTools(): Promise<string> };
  try {
    return { found: await checkTools(), missing: null };
  } catch (error) {
    return { found: null, missing: (error as Error).message };
  }
}
