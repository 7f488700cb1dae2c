import { z } from 'zod';
import { type Check, CheckError, type CheckedRow } from './check.ts';
import { normalised } from './exact.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

export const choiceSchema = z.strictObject({
  type: z.literal('choice'),
  /** Field of the row with the texts of the choices; without it, only letters are read. */
  choices: z.string().min(1).default('choices'),
});

/** Whether the answer chooses the right letter, or the text of the right choice. */
export function choiceCheck(spec: z.output<typeof choiceSchema>): Check {
  return simpleCheck({
    name: 'choice',
    admit: (row) => void lettersOf(row, choicesOf(row, spec.choices)),
    check(answer, row) {
      const choices = choicesOf(row, spec.choices);
      const read = readChoice(answer, choices);
      if (read === null) return { score: 0, read, note: 'no choice in the answer' };
      return { score: Number(lettersOf(row, choices).includes(read)), read };
    },
  });
}

const letterOf = (index: number): string => String.fromCharCode(65 + index);
const MOST = 26;

function choicesOf({ extra }: CheckedRow, field: string): string[] | null {
  const choices = extra[field];
  if (choices === undefined || choices === null) return null;
  if (!Array.isArray(choices) || choices.length < 2 || choices.length > MOST) {
    throw new CheckError(field, `expected a list of 2 to ${MOST} choices`);
  }
  return choices.map(String);
}

/** The right letters: a target is a letter, the index of a choice from 0, or its text. */
function lettersOf(row: CheckedRow, choices: readonly string[] | null): string[] {
  return targetsOf(row).map((target) => {
    const place = choices?.indexOf(target) ?? -1;
    if (place >= 0) return letterOf(place);
    const count = choices?.length ?? MOST;
    if (/^\d+$/.test(target) && Number(target) < count) return letterOf(Number(target));
    const letter = /^\W*([a-z])\W*$/i.exec(target)?.[1]?.toUpperCase();
    if (letter !== undefined && letter.charCodeAt(0) - 65 < count) return letter;
    throw new CheckError(
      'target',
      `${JSON.stringify(target)} is not among the choices${choices === null ? '' : ` ${JSON.stringify(choices)}`}`,
    );
  });
}

/**
 * The letter that an answer chooses; null if it chooses none, or several. A letter counts behind
 * "answer:" or "option", at the start, or alone in brackets or bold. Else the text of one choice
 * counts, the longest where one is part of another.
 */
export function readChoice(answer: string, choices: readonly string[] | null): string | null {
  const last = choices === null ? 'J' : letterOf(choices.length - 1);
  const letter = `[A-${last}]`;
  const opened = '[("“\\[*_{$\\\\]*';
  const text = answer.replace(/\\text\{\s*([^}]*)\}/g, '$1').replace(/\\boxed/g, 'answer: ');
  const cues = [
    new RegExp(
      `(?:answer|choice|option|choose)\\b(?: is| would be| should be|[:=])*\\s*(?:option |choice )?${opened}(${letter})(?![\\p{L}\\d'’])(?! [a-z])`,
      'giu',
    ),
    new RegExp(
      `(?:answer|choice)\\b(?: is| would be| should be|[:=])*\\s*${opened}(${letter})(?![\\p{L}\\d'’])`,
      'gu',
    ),
  ];
  for (const cue of cues) {
    const found = [...text.matchAll(cue)].at(-1)?.[1];
    if (found !== undefined) return found.toUpperCase();
  }
  const first = new RegExp(`^\\s*${opened}(${letter})(?:[)\\].:,*_"”]|\\s*$|\\s*\\n)`, 'u').exec(
    text,
  );
  if (first !== null) return first[1]!;
  const marked = [
    ...text.matchAll(new RegExp(`(?:\\(|\\*\\*|\\[)(${letter})(?:\\)|\\*\\*|\\]|[.:])`, 'gu')),
  ].map((match) => match[1]!);
  if (new Set(marked).size === 1) return marked[0]!;
  return choices === null ? null : choiceByText(text, choices);
}

function choiceByText(text: string, choices: readonly string[]): string | null {
  const plain = (part: string): string =>
    ` ${normalised(part, ['unicode', 'markdown', 'case', 'punctuation', 'whitespace'])} `;
  const said = plain(text);
  const texts = choices.map(plain);
  const found = texts.flatMap((choice, index) =>
    choice.trim() !== '' && said.includes(choice) ? [index] : [],
  );
  const longest = found.filter(
    (index) => !found.some((other) => other !== index && texts[other]!.includes(texts[index]!)),
  );
  return longest.length === 1 ? letterOf(longest[0]!) : null;
}
