import { z } from 'zod';
import type { Check, CheckedRow } from './check.ts';
import { normalised } from './exact.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

const keys = {
  /** Texts to look for (default: the row's right answers). */
  texts: z.array(z.string().min(1)).min(1).optional(),
  /** Whether upper and lower case differ. */
  case: z.boolean().default(false),
  /** Whether only whole words count. */
  words: z.boolean().default(true),
};

export const includesSchema = z.strictObject({
  type: z.literal('includes'),
  ...keys,
  /** How many of the texts must be there. */
  how_many: z.enum(['any', 'all']).default('any'),
});

export const excludesSchema = z.strictObject({ type: z.literal('excludes'), ...keys });

/** Whether the answer contains any, or all, of the texts. */
export function includesCheck(spec: z.output<typeof includesSchema>): Check {
  return containing(spec, (found, texts) =>
    spec.how_many === 'any' ? found.length > 0 : found.length === texts.length,
  );
}

/** Whether the answer contains none of the texts. */
export const excludesCheck = (spec: z.output<typeof excludesSchema>): Check =>
  containing(spec, (found) => found.length === 0);

function containing(
  spec: z.output<typeof includesSchema | typeof excludesSchema>,
  isRight: (found: readonly string[], texts: readonly string[]) => boolean,
): Check {
  const textsOf = (row: CheckedRow): readonly string[] => spec.texts ?? targetsOf(row);
  const plain = (text: string): string =>
    normalised(text, spec.case ? ['unicode', 'whitespace'] : ['unicode', 'case', 'whitespace']);
  return simpleCheck({
    name: spec.type,
    admit: (row) => void textsOf(row),
    check(answer, row) {
      const said = plain(answer);
      const texts = textsOf(row);
      const found = texts.filter((text) => contains(said, plain(text), spec.words));
      return {
        score: Number(isRight(found, texts)),
        read: found.length > 0 ? found.join(', ') : null,
      };
    },
  });
}

/** Whether a text contains another one; as whole words if it starts and ends with letters. */
export function contains(text: string, part: string, words: boolean): boolean {
  const bounded = { start: isWord(part.at(0)), end: isWord(part.at(-1)) };
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    if (!words) return true;
    const inside = bounded.start && isWord(text[at - 1]);
    const continued = bounded.end && isWord(text[at + part.length]);
    if (!inside && !continued) return true;
  }
  return false;
}

const isWord = (character: string | undefined): boolean => /^[\p{L}\p{N}]$/u.test(character ?? '');
