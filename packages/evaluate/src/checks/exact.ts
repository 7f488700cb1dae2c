import { z } from 'zod';
import type { Check } from './check.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

/** What may differ between an answer and the right one, in the order in which it is removed. */
const normalisations = {
  /** Compatible characters: full-width letters, ligatures, `…`. */
  unicode: (text: string) => text.normalize('NFKC'),
  /** `*`, `_` and backticks around words, `#` before headings. */
  markdown: (text: string) =>
    text.replace(/^\s*#+\s+/gm, '').replace(/[*_`]+(?=\S)|(?<=\S)[*_`]+/g, ''),
  case: (text: string) => text.toLowerCase(),
  punctuation: (text: string) => text.replace(/\p{P}/gu, ' '),
  /** English articles: a, an, the. */
  articles: (text: string) => text.replace(/\b(?:a|an|the)\b/gi, ' '),
  /** Line breaks and repeated spaces, and spaces at both ends. */
  whitespace: (text: string) => text.replace(/\s+/g, ' ').trim(),
} as const;

type Normalisation = keyof typeof normalisations;
export const normalisationNames = Object.keys(normalisations) as Normalisation[];

export const exactSchema = z.strictObject({
  type: z.literal('exact'),
  /** What may differ. */
  ignore: z.array(z.enum(normalisationNames)).default(['whitespace']),
  /** The part of the answer that is compared: all, its first or its last line with text. */
  of: z.enum(['whole', 'first_line', 'last_line']).default('whole'),
});

/** Whether the answer equals one of the right ones. */
export function exactCheck(spec: z.output<typeof exactSchema>): Check {
  return simpleCheck({
    name: 'exact',
    admit: (row) => void targetsOf(row),
    check(answer, row) {
      const read = normalised(partOf(answer, spec.of), spec.ignore);
      const right = targetsOf(row).some((target) => normalised(target, spec.ignore) === read);
      return { score: Number(right), read };
    },
  });
}

/** A text without what may differ. */
export const normalised = (text: string, ignore: readonly Normalisation[]): string =>
  normalisationNames
    .filter((name) => ignore.includes(name))
    .reduce((part, name) => normalisations[name](part), text);

function partOf(answer: string, part: 'whole' | 'first_line' | 'last_line'): string {
  if (part === 'whole') return answer;
  const lines = answer.split(/\r?\n/).filter((line) => line.trim() !== '');
  return (part === 'first_line' ? lines.at(0) : lines.at(-1)) ?? '';
}
