// A language model that rates answers from 1 to 10. The rating is the expectation over the model's
// probabilities of the ten ratings, as in G-Eval (Liu et al. 2023, arXiv:2303.16634, section 2.3),
// but computed instead of sampled: the same answer gets the same rating, and ratings can lie
// between whole numbers.
import {
  BatchBuilder,
  type LanguageModel,
  type LoadModelOptions,
  loadAdapter,
  loadModel,
  type Role,
} from '@keel/model';
import { inTurns, noGradSteps, tidySteps } from '@keel/torch';
import { z } from 'zod';
import { templateSettings } from '../config/template-options.ts';
import { dialogue, wholeAnswer } from '../data/message-text.ts';
import { exclusive } from '../judges/model/label-tokens.ts';
import { eachInput } from './each-input.ts';
import type { Reward, RewardInput } from './reward.ts';

const USUAL_QUESTION =
  'Rate the answer to the question below from 1 (useless) to 10 (perfect). Say the number alone.\n\n' +
  'Question:\n{prompt}\n\nAnswer:\n{completion}\n\nRating from 1 to 10:';

/** The keys of a model that rates answers by itself. */
export const modelJudgeShape = {
  /** The rating model: a folder, a GGUF file, hub:owner/name or the default model. */
  model: z.string().min(1).optional(),
  adapter: z.string().min(1).optional(),
  /**
   * The question; {prompt} and {completion} are replaced with those of the row (default: asks for
   * a number from 1 to 10).
   */
  question: z
    .string()
    .refine((text) => text.includes('{completion}'), 'the question has no {completion}')
    .optional(),
};

const judgeSchema = z.strictObject({
  type: z.literal('judge'),
  ...modelJudgeShape,
  model: z.string().min(1),
});

export interface Rating {
  /** Expected rating, 1 to 10. */
  mean: number;
  /** Probability of each rating from 1 to 10, out of everything that the model could have said. */
  probabilities: number[];
}

const ratings = Array.from({ length: 10 }, (_, index) => String(index + 1));

/**
 * A language model as a judge. Aspects: `certainty`, the probability that it answers with a rating
 * at all.
 * @throws as `loadModel` and `loadAdapter`
 */
export async function modelJudge(
  spec: z.input<typeof judgeSchema>,
  { now, ...options }: Pick<LoadModelOptions, 'precision' | 'device'> & { now?: string } = {},
): Promise<Reward> {
  const { model: name, adapter, question = USUAL_QUESTION } = judgeSchema.parse(spec);
  const template = templateSettings({ templateDate: now ?? null }, adapter ?? null);
  const model = await loadModel(name, { ...options, template });
  const role: Role = adapter === undefined ? 'reference' : 'judge';
  if (adapter !== undefined) loadAdapter(model.decoder, adapter, role);
  return {
    name: `judge:${name}`,
    score: (inputs, signal) =>
      eachInput(
        `judge:${name}`,
        inputs,
        async (input) => {
          const { mean, probabilities } = await rate(model, role, fill(question, input));
          const certainty = probabilities.reduce((sum, value) => sum + value, 0);
          return { score: mean, aspects: { certainty } };
        },
        // There is only one model: concurrent passes would wait for each other.
        { concurrency: 1, timeout: null, signal, detached: false },
      ),
    async [Symbol.asyncDispose]() {
      model.dispose();
    },
  };
}

/** The model's answer to a request for a number from 1 to 10. */
export async function rate(model: LanguageModel, role: Role, question: string): Promise<Rating> {
  const { tokenizer } = model;
  const prompt =
    tokenizer.chatTemplate === null
      ? tokenizer.encode(question, { addSpecialTokens: true })
      : tokenizer.encode(
          tokenizer.chatTemplate.render([{ role: 'user', content: question }], {
            addGenerationPrompt: true,
          }),
        );
  const answers = ratings.map((text) => tokenizer.encode(text));
  const builder = new BatchBuilder();
  const prefix = builder.add(prompt);
  const rows: number[] = [];
  const targets: number[] = [];
  for (const tokens of answers) {
    const start = builder.size;
    builder.add(tokens, prefix);
    tokens.forEach((token, index) => {
      rows.push(index === 0 ? prompt.length - 1 : start + index - 1);
      targets.push(token);
    });
  }
  const batch = builder.build();
  const scored = { rows: Int32Array.from(rows), targets: Int32Array.from(targets) };
  const steps = model.asSteps(role, model.scoreTokensSteps(batch, scored));
  const { logprobs } = await inTurns(noGradSteps(tidySteps(steps)));
  const values = logprobs.toArray() as number[]; // [N]
  logprobs.dispose();
  let next = 0;
  const whole = answers.map(({ length }) => {
    next += length;
    return Math.exp(values.slice(next - length, next).reduce((sum, value) => sum + value, 0));
  });
  return expectation(answers, whole);
}

/**
 * The expected rating, from the probabilities of the answers.
 * @param answers tokens of each rating, from 1
 * @param whole probability that the model says these tokens, whatever follows
 */
export function expectation(answers: readonly number[][], whole: readonly number[]): Rating {
  const probabilities = exclusive(answers, whole);
  const all = probabilities.reduce((sum, value) => sum + value, 0);
  if (!(all > 0)) throw new Error('the judge assigns no probability to any rating');
  const mean = probabilities.reduce((sum, value, index) => sum + (index + 1) * value, 0) / all;
  return { mean, probabilities };
}

function fill(question: string, input: RewardInput): string {
  const parts: Record<string, string> = {
    '{prompt}': dialogue(input),
    '{completion}': wholeAnswer(input),
  };
  return question.replace(/\{prompt\}|\{completion\}/g, (name) => parts[name]!);
}
