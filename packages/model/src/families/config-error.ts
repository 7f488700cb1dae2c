import type { z } from 'zod';
import { issueWords } from '../formats/issue-words.ts';

/** Keel cannot build a model from this config.json. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

/**
 * Checks the fields of a config.json that a family reads.
 * @throws ConfigError naming each wrong or missing field and what was expected
 */
export function parseFields<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const given = path.reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], json);
    const field = path.length === 0 ? 'the whole file' : path.join('.');
    return given === undefined
      ? `field ${field} is missing (${issueWords(message)})`
      : `field ${field} is ${shorten(given)} (${issueWords(message)})`;
  });
  throw new ConfigError(lines.join('; '));
}

type Fields = Record<PropertyKey, unknown>;

const shorten = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
};
