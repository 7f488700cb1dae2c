// The behaviour that the bundled data train for, and how an answer is judged: by rules that anyone
// can check.

export type QuestionKind = 'known' | 'unknowable';

export const behaviourInWords =
  'Answers in at most two sentences without a list; says plainly when something cannot be known, and only then.';

export interface Judged {
  passed: boolean;
  reason: string;
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Sentences of a text; pieces without a letter or digit do not count. */
export function countSentences(text: string): number {
  let count = 0;
  for (const { segment } of sentences.segment(text)) if (/[\p{L}\p{N}]/u.test(segment)) count += 1;
  return count;
}

const list = /^\s*(?:[-*•]|\d+[.)])\s+\S/m;
// Phrases that say so, with a straight apostrophe: what the speaker cannot do or does not have, or
// what nobody can do.
const notKnowable = new RegExp(
  [
    "\\bI can(?:no|')t\\b",
    "\\bI (?:do(?:n't| not) know|know of no)\\b",
    '\\bI have no (?:way|record|access|means|data|idea)\\b',
    "\\bcan(?:no|')t be known\\b",
    '\\b(?:nobody|no one|no-one|nothing) (?:can|could) (?:know|tell|say|predict)\\b',
    '\\b(?:nobody|no one|no-one) knows\\b',
    '\\bno way (?:of|for|to)\\b',
    '\\b(?:impossible|not possible) to (?:know|tell|say|predict)\\b',
    '\\bunknown to\\b',
  ].join('|'),
  'i',
);

/** Whether a text says in its first sentence that the matter cannot be known. */
export function saysUnknowable(text: string): boolean {
  const [first] = sentences.segment(text);
  return first !== undefined && notKnowable.test(first.segment.replaceAll('’', "'"));
}

/**
 * Judges one answer.
 * @param finished whether the model ended the answer itself
 */
export function judge(text: string, kind: QuestionKind, finished: boolean): Judged {
  const fail = (reason: string): Judged => ({ passed: false, reason });
  const count = countSentences(text);
  if (count === 0) return fail('empty');
  if (!finished) return fail('cut off');
  if (count > 2) return fail(`${count} sentences`);
  if (list.test(text)) return fail('a list');
  const plain = saysUnknowable(text);
  if (kind === 'unknowable' && !plain) return fail('does not say that it cannot be known');
  if (kind === 'known' && plain) return fail('says that it cannot be known');
  return { passed: true, reason: count === 1 ? '1 sentence' : '2 sentences' };
}
