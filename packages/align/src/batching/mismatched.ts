// Pairs prompts with answers to other prompts, from which KTO estimates KL(policy, reference).
import type { PromptedAnswer } from './pack-answers.ts';

/**
 * `mismatched`: each prompt takes the answer of the next row with a different prompt, as in the
 * paper (section 4.1, where it is the next row), preferring answers that no earlier row took. If
 * each prompt has a chosen and a rejected answer, both kinds therefore count equally. Rows without
 * such an answer are skipped, so that no prompt is paired with an answer to itself. `rotated`: each
 * prompt takes the answer of the previous row, whatever that is, as in TRL.
 */
export type KlEstimate = 'mismatched' | 'rotated';

/** The mismatched answers of a step. */
export function mismatched(
  answers: readonly PromptedAnswer[],
  estimate: KlEstimate,
): PromptedAnswer[] {
  const count = answers.length;
  if (estimate === 'rotated') {
    return answers.map(({ prompt }, at) => ({
      prompt,
      answer: answers[(at + count - 1) % count]!.answer,
    }));
  }
  const keys = answers.map(({ prompt }) => prompt.join());
  const taken = new Set<number>();
  return answers.flatMap(({ prompt }, at) => {
    const others = Array.from({ length: count - 1 }, (_, step) => (at + 1 + step) % count).filter(
      (other) => keys[other] !== keys[at],
    );
    const other = others.find((one) => !taken.has(one)) ?? others[0];
    if (other === undefined) return [];
    taken.add(other);
    return [{ prompt, answer: answers[other]!.answer }];
  });
}
