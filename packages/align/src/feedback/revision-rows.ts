// Rows for training that are made of a lineage.
import type { Lineage } from './revise.ts';
import { withoutReasoning } from './said-text.ts';

/** Columns of the rows that are made, beside prompts and answers. */
export const writtenColumns = ['row', 'principles'];

/** The prompt, what it is rendered with, and its row's other columns. */
const asked = ({ row, prompt, columns, tools, chat_template_kwargs }: Lineage) => ({
  ...columns,
  ...{ row, prompt },
  ...(tools && { tools }),
  ...(chat_template_kwargs && { chat_template_kwargs }),
});

/**
 * A row for `keel sft`: the prompt with its last answer.
 * @returns null if no round said anything usable about the answer, or it was cut off
 */
export function supervisedRow(lineage: Lineage): object | null {
  const { answer, answer_ended, final, rounds, failed } = lineage;
  const checked = rounds.some(
    ({ outcome }) => outcome === 'revised' || outcome === 'nothing to change',
  );
  if (failed !== undefined || !checked) return null;
  if (!answer_ended && final === answer) return null;
  return { ...asked(lineage), completion: [{ role: 'assistant', content: final }] };
}

/**
 * A row for `keel dpo` or `keel reward`: the last revision is better than the first answer.
 * Revisions have no reasoning, so the answer's is left out too: otherwise, the first thing to learn
 * from such rows is not to think.
 * @returns null if the answer was not revised, or is nothing but reasoning
 */
export function preferenceRow(lineage: Lineage): object | null {
  const { answer, answer_ended, final, rounds } = lineage;
  const principles = rounds.flatMap(({ outcome, principle }) =>
    outcome === 'revised' ? [principle] : [],
  );
  if (principles.length === 0 || final === answer) return null;
  const rejected = withoutReasoning(answer);
  if (rejected.trim() === '' || rejected === final) return null;
  return {
    ...{ ...asked(lineage), chosen: [{ role: 'assistant', content: final }] },
    ...{ rejected: [{ role: 'assistant', content: rejected }], principles },
    // Training refuses it by default: it would learn that the answer ended there.
    ...(!answer_ended && { rejected_finish_reason: 'length' }),
  };
}
