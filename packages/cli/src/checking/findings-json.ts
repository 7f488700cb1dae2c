import type { DataFindings } from '@keel/align/checking';

/** The facts with their names in snake_case, as all output of --json has them. */
export const jsonFindings = (findings: DataFindings): unknown => inSnakeCase(findings);

// Names of fields and kinds are values, not keys, so every key is one of Keel's.
function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, own]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      inSnakeCase(own),
    ]),
  );
}
