import { writeFileAtomic } from '@keel/align/internal';

/** Plain data with names as JSON files have them: `winRate` becomes `win_rate`. */
export function snakeJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeJson);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, own]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    snakeJson(own),
  ]);
  return Object.fromEntries(entries);
}

export const writeJson = (path: string, value: unknown): void =>
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
