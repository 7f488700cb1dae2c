// What a recipe knows about methods that also train on text.
import type { PretrainingOptions } from './pretraining-options.ts';

/** Shared by verbs that mix in the likelihood of text. */
export const mixesText = {
  mixed: ({ pretrainingData: data, pretrainingBatchSize: count }: PretrainingOptions) =>
    data && { data, count, rows: 'supervised' as const },
};
