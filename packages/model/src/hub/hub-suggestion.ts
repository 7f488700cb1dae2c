import { existsSync } from 'node:fs';

/** `owner/name`, optionally with a revision, a split or a path. */
const hubName = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(?:@[^:/@]+)?(?:\/[^:]+)?(?::[\w.-]+)?$/;

/**
 * The spec of the repository that a name without `hub:` probably means, or null. A name in an
 * existing folder is a misspelt path.
 */
export function hubSuggestion(name: string): string | null {
  if (!hubName.test(name) || existsSync(name.slice(0, name.indexOf('/')))) return null;
  return `hub:${name}`;
}
