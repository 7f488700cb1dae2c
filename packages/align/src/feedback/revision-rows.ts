// Rows for training that are made of a lineage.
import type { Lineage } from './revise.ts';

/**
 * A row for `keel sft`: the prompt with its last answer.
 * @returns null if no round said anything usable about the answer
 */
export function supervisedRow({ row, prompt, final, rounds, failed }: Lineage): object | null {
  const checked = rounds.some(
    ({ outcome }) => outcome === 'revised' || outcome === 'nothing to change',
  );
  if (failed !== undefined || !checked) return null;
  return { row, prompt, completion: [{ role: 'assistant', content: final }] };
}

/**
 * A row for `keel dpo` or `keel reward`: the last revision is better than the first answer.
 * @returns null if the answer was not revised
 */
export function preferenceRow({ row, prompt, answer, final, rounds }: Lineage): object | null {
  const principles = rounds.flatMap(({ outcome, principle }) =>
    outcome === 'revised' ? [principle] : [],
  );
  if (principles.length === 0 || final === answer) return null;
  return {
    ...{ row, prompt, chosen: [{ role: 'assistant', content: final }] },
    ...{ rejected: [{ role: 'assistant', content: answer }], principles },
  };
}
