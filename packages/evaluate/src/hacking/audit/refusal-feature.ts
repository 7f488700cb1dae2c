import type { AnswerFeature } from '@keel/align/hacking';
import { classifyRefusal } from '../../refusals/classify-refusal.ts';

/** Whether an answer refuses, by Keel's classifier. */
export const refusalFeature: AnswerFeature = {
  ...{ name: 'refusal', label: 'refusals', unit: 'share' },
  ...{ more: 'refuse more', less: 'refuse less' },
  measure: (answers) =>
    answers.map(({ prompt, text }) =>
      // An empty answer is a feature already.
      Number(text.trim() !== '' && classifyRefusal(prompt, text).label === 'full_refusal'),
    ),
};
