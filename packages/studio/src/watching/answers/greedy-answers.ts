// A run's answers.jsonl: greedy answers to the same prompts before, during and after training.
import { type AnswerLine, answersByStep } from '@keel/align/runs';
import { isPlainObject } from '@keel/model/exact-json';

/** Answers to one prompt, one for each step that has answers; null: none at that step. */
export interface AnswersOfPrompt {
  prompt: AnswerLine['prompt'];
  answers: (Pick<AnswerLine, 'completion' | 'tokens' | 'ended'> | null)[];
}

/** Lines of answers.jsonl; a last line that is being written is dropped, and damaged ones too. */
export function parseAnswers(text: string): AnswerLine[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.flatMap((line) => {
    try {
      const found: unknown = JSON.parse(line);
      const whole = isPlainObject(found) && typeof found.completion === 'string';
      return whole ? [found as unknown as AnswerLine] : [];
    } catch {
      return [];
    }
  });
}

/** Answers side by side. */
export function answersByPrompt(lines: readonly AnswerLine[]): {
  steps: number[];
  prompts: AnswersOfPrompt[];
} {
  const sets = answersByStep(lines);
  const prompts = new Map(lines.map(({ prompt }) => [JSON.stringify(prompt), prompt]));
  return {
    steps: sets.map(({ step }) => step),
    prompts: [...prompts].map(([key, prompt]) => ({
      prompt,
      answers: sets.map(({ answers }) => {
        const found = answers.find((one) => JSON.stringify(one.prompt) === key);
        if (found === undefined) return null;
        const { completion, tokens, ended } = found;
        return { completion, tokens, ended };
      }),
    })),
  };
}
