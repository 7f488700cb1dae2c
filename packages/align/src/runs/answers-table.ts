// Prints answers to the sample prompts.
import { type Content, contentText } from '../data/messages.ts';
import { padded, shortened } from './samples-table.ts';

/** The parts of an answer that the table shows. */
export interface ShownAnswer {
  prompt: Content;
  completion: string;
}

/**
 * A line for each prompt with its answer. No line is wider than `columns`.
 * @param step optimizer steps that had finished
 */
export function answersTable(
  step: number,
  answers: readonly ShownAnswer[],
  columns: number,
): string {
  const prompts = answers.map(({ prompt }) => lastLine(prompt));
  const most = Math.max(8, Math.floor(columns / 3));
  const width = Math.min(most, Math.max(...prompts.map((one) => one.length)));
  const lines = answers.map(({ completion }, at) => {
    const prompt = padded(shortened(prompts[at]!, width), width);
    return `  ${prompt}  ${shortened(completion, Math.max(8, columns - width - 4)) || '(empty)'}`;
  });
  const title = step === 0 ? 'answers before training' : `answers after step ${step}`;
  return [`${title}, greedy:`, ...lines].join('\n');
}

/** A chat's last message, which is what is asked. */
const lastLine = (prompt: Content): string =>
  typeof prompt === 'string' ? prompt : contentText(prompt.slice(-1));
