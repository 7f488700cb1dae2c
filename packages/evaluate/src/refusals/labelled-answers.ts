// Labelled answers to train and measure the refusal classifier with: XSTest's rows, and examples
// written for Keel.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { featuresOf } from './features.ts';
import { type LabelledFeatures, type RefusalLabel, refusalLabels } from './refusal-model.ts';

export interface LabelledAnswer {
  model: string;
  prompt: string;
  answer: string;
  label: RefusalLabel;
}

/**
 * Reads rows as XSTest has them: `{model, prompt, completion, final_label: "1_full_compliance"}`.
 * @throws Error naming the line of a row without a label
 */
export function readLabelledAnswers(file: string): LabelledAnswer[] {
  return jsonRows(file).map(({ model, prompt, completion, final_label: labelled }, index) => {
    const label = refusalLabels.find((one) => String(labelled).endsWith(one));
    if (label === undefined) {
      throw new Error(
        `${file}:${index + 1}: final_label is ${JSON.stringify(labelled)}; expected one of ${refusalLabels.join(', ')}`,
      );
    }
    return { model: String(model), prompt: String(prompt), answer: String(completion), label };
  });
}

/** Answers written for Keel, in the styles of several models: they are in every training set. */
export const ownExamples = (): LabelledAnswer[] =>
  jsonRows(fileURLToPath(new URL('examples.jsonl', import.meta.url))).map(
    (row) => ({ model: 'examples', ...row }) as unknown as LabelledAnswer,
  );

const jsonRows = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

export const labelledFeatures = ({ prompt, answer, label }: LabelledAnswer): LabelledFeatures => ({
  features: featuresOf(prompt, answer),
  label,
});
