import type { ConstraintOptions } from '@keel/align/config';
import { shellWord } from '../shell-word.ts';

/** The flags of a run's constraint, to use its result under the same one; '' without. */
export function constraintWords({
  jsonSchema = null,
  jsonObject = false,
  regex = null,
  grammar = null,
  choices = null,
}: Partial<ConstraintOptions>): string {
  const words = [
    ...(jsonSchema === null ? [] : ['--json-schema', shellWord(jsonSchema)]),
    ...(jsonObject ? ['--json-object'] : []),
    ...(regex === null ? [] : ['--regex', shellWord(regex)]),
    ...(grammar === null ? [] : ['--grammar', shellWord(grammar)]),
    ...(choices === null ? [] : ['--choices', ...choices.map(shellWord)]),
  ];
  return words.map((word) => ` ${word}`).join('');
}
