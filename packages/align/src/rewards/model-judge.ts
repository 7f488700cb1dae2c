// A language model that rates answers from 1 to 10. The rating is the expectation over the model's
// probabilities of the ten ratings, as in G-Eval (Liu et al. 2023, arXiv:2303.16634, section 2.3),
// but computed instead of sampled: the same answer gets the same rating, and ratings can lie
// between whole numbers.
import { type LoadModelOptions, loadAdapter, loadModel, type Role } from '@keel/model';
import { z } from 'zod';
import { templateSettings } from '../config/template-options.ts';
import { dialogue, wholeAnswer } from '../data/message-text.ts';
import { LabelReader } from '../judges/model/label-reader.ts';
import { expectedRating, labelTokens } from '../judges/model/label-tokens.ts';
import { eachInput } from './each-input.ts';
import type { Reward, RewardInput, RewardOutcome } from './reward.ts';

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

/** Questions in one pass. */
const BATCH = 8;

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
  const settings = templateSettings({ templateDate: now ?? null }, adapter ?? null);
  const model = await loadModel(name, { ...options, template: settings });
  const role: Role = adapter === undefined ? 'reference' : 'judge';
  if (adapter !== undefined) loadAdapter(model.decoder, adapter, role);
  const { tokenizer, decoder } = model;
  const template = tokenizer.chatTemplate;
  const reader = new LabelReader(model, role, { batchSize: BATCH });
  // Templates write the special tokens of a chat; before plain text, the tokenizer does.
  const encode = (text: string): number[] =>
    tokenizer.encode(text, { addSpecialTokens: template === null });
  const rate = async (asked: string, signal?: AbortSignal): Promise<RewardOutcome> => {
    const messages = [{ role: 'user', content: asked }];
    const text = template?.render(messages, { addGenerationPrompt: true }) ?? asked;
    const tokens = labelTokens(encode, text, ratings);
    const { maxPositions } = decoder.config;
    if (tokens.prompt.length >= maxPositions) {
      throw new Error(
        `the question has ${tokens.prompt.length} tokens, but the judge takes at most ${maxPositions}: shorten the answer`,
      );
    }
    const probabilities = await reader.read(tokens, ratings.length, signal);
    const certainty = probabilities.reduce((sum, value) => sum + value, 0);
    if (!(certainty > 0)) throw new Error('the judge assigns no probability to any rating');
    return { score: expectedRating(probabilities, 1), aspects: { certainty } };
  };
  return {
    name: `judge:${name}`,
    score: (inputs, signal) =>
      eachInput(
        `judge:${name}`,
        inputs,
        (input, own) => rate(fill(question, input), own),
        // As many as share a pass.
        { concurrency: BATCH, timeout: null, signal, detached: false },
      ),
    async [Symbol.asyncDispose]() {
      await reader.idle();
      model.dispose();
    },
  };
}

function fill(question: string, input: RewardInput): string {
  const parts: Record<string, string> = {
    '{prompt}': dialogue(input),
    '{completion}': wholeAnswer(input),
  };
  return question.replace(/\{prompt\}|\{completion\}/g, (name) => parts[name]!);
}
