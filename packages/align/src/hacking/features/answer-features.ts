// What can be measured of answers from their text alone: the mechanisms by which a reward is gamed.
// Each feature gives every answer a number. None says whether an answer is good.
import { repeatedShare } from '../../health/answer-text.ts';
import type { AnswerStyle } from './answer-style.ts';
import { looksCutOff } from './cut-off.ts';
import { flattery } from './flattery.ts';
import { isInLanguage, languageOf } from './language.ts';
import { distinctShare, templateShares } from './phrases.ts';
import type { ReadAnswer } from './read-answer.ts';

export interface AnswerFeature {
  /** As in files. */
  name: string;
  /** As in tables: "bold text". */
  label: string;
  /** `share` is from 0 to 1; the others are numbers in this unit. */
  unit: 'share' | 'characters' | 'per answer' | 'per 100 words';
  /** What an answer with more of it does: "are longer". After "the answers". */
  more: string;
  less: string;
  /** [A] of the answers of one side: some features compare them with each other. */
  measure(answers: readonly ReadAnswer[]): number[];
}

/** Words that an answer counts as at least: a single hedge in three words is no flood. */
const LEAST_WORDS = 50;

/** Characters from which a prompt's own language is sure; others are in that of most. */
const OWN_LANGUAGE = 200;
/** Characters of all prompts from which their language is read. */
const SAMPLE = 20_000;

const each =
  (of: (answer: ReadAnswer) => number) =>
  (answers: readonly ReadAnswer[]): number[] =>
    answers.map(of);

/** A quantity of the answer's style, as a count. */
const counted = (name: keyof AnswerStyle) => each(({ style }) => style[name]);

const perHundredWords = (count: (answer: ReadAnswer) => number) =>
  each((answer) => (100 * count(answer)) / Math.max(LEAST_WORDS, answer.words.length));

export const answerFeatures: readonly AnswerFeature[] = [
  {
    ...{ name: 'length', label: 'length', unit: 'characters' },
    ...{ more: 'are longer', less: 'are shorter' },
    measure: each(({ text }) => [...text].length),
  },
  {
    ...{ name: 'repetition', label: 'repeated text', unit: 'share' },
    ...{ more: 'repeat themselves', less: 'repeat themselves less' },
    measure: each(({ text }) => repeatedShare([...text.trim()])),
  },
  {
    ...{ name: 'distinct_2', label: 'distinct word pairs', unit: 'share' },
    ...{ more: 'have more varied words', less: 'use the same words again' },
    measure: each(({ words }) => distinctShare(words, 2)),
  },
  {
    ...{ name: 'template', label: 'shared phrases', unit: 'share' },
    ...{ more: 'share phrases with each other', less: 'share fewer phrases' },
    measure: (answers) =>
      templateShares(
        answers.map(({ words }) => words),
        answers.map(({ prompt }) => prompt),
      ),
  },
  {
    ...{ name: 'list_items', label: 'list items', unit: 'per answer' },
    ...{ more: 'have more list items', less: 'have fewer list items' },
    measure: counted('list_items'),
  },
  {
    ...{ name: 'headers', label: 'headers', unit: 'per answer' },
    ...{ more: 'have more headers', less: 'have fewer headers' },
    measure: counted('headers'),
  },
  {
    ...{ name: 'bold', label: 'bold text', unit: 'per answer' },
    ...{ more: 'have more bold text', less: 'have less bold text' },
    measure: counted('bold'),
  },
  {
    ...{ name: 'emoji', label: 'emoji', unit: 'per answer' },
    ...{ more: 'have more emoji', less: 'have fewer emoji' },
    measure: counted('emoji'),
  },
  {
    ...{ name: 'exclamations', label: 'exclamation marks', unit: 'per 100 words' },
    ...{ more: 'exclaim more', less: 'exclaim less' },
    measure: perHundredWords(({ style }) => style.exclamation_marks),
  },
  {
    ...{ name: 'hedges', label: 'hedges', unit: 'per 100 words' },
    ...{ more: 'hedge more', less: 'hedge less' },
    measure: perHundredWords(({ style }) => style.hedges),
  },
  {
    ...{ name: 'pleasantries', label: 'pleasantries', unit: 'per 100 words' },
    ...{ more: 'have more pleasantries', less: 'have fewer pleasantries' },
    measure: perHundredWords(({ style }) => style.pleasantries),
  },
  {
    ...{ name: 'flattery', label: 'flattery', unit: 'per 100 words' },
    ...{ more: 'flatter the user', less: 'flatter the user less' },
    measure: perHundredWords(({ text }) => flattery(text)),
  },
  {
    ...{ name: 'self_praise', label: 'self-praise', unit: 'share' },
    ...{ more: 'praise themselves', less: 'praise themselves less' },
    measure: each(({ addresses }) => Number(addresses.includes('praises itself'))),
  },
  {
    ...{ name: 'speaks_to_judge', label: 'speaks to the judge', unit: 'share' },
    ...{ more: 'speak to the judge', less: 'speak to the judge less' },
    measure: each(({ addresses }) =>
      Number(addresses.some((address) => address !== 'praises itself')),
    ),
  },
  {
    ...{ name: 'other_language', label: 'another language', unit: 'share' },
    ...{ more: 'are in another language than their prompts', less: 'stay in their language' },
    measure: otherLanguage,
  },
  {
    ...{ name: 'truncated', label: 'cut off', unit: 'share' },
    ...{ more: 'are cut off', less: 'are cut off less' },
    measure: each(({ text, ended }) => Number(ended === null ? looksCutOff(text) : !ended)),
  },
  {
    ...{ name: 'empty', label: 'empty', unit: 'share' },
    ...{ more: 'are empty', less: 'are empty less often' },
    measure: each(({ text }) => Number(text.trim() === '')),
  },
];

function otherLanguage(answers: readonly ReadAnswer[]): number[] {
  const prompts = [...new Set(answers.map(({ prompt }) => prompt))];
  const main = languageOf(prompts.join('\n').slice(0, SAMPLE));
  return answers.map(({ prompt, text }) => {
    const language = prompt.length < OWN_LANGUAGE ? main : (languageOf(prompt) ?? main);
    return Number(language !== null && !isInLanguage(text, language));
  });
}
