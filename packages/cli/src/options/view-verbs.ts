import { methodVerbs } from '@keel/align/config';

/** The verbs whose view of a row can be shown: those that read rows as training does. */
export const viewVerbs = [
  ...methodVerbs.map(({ name }) => name),
  ...['score', 'best-of-n', 'revise', 'generate'],
];
