// Measures what training changed, on held-out pairs and on generated answers.
import { openRows, type PreferenceRow } from '@keel/align/data';
import {
  packedTokens,
  packPairs,
  scorePairs,
  splitMicroBatches,
  type TokenisedPair,
  tokenisePair,
} from '@keel/align/internal';
import { BatchBuilder, generateAll, type LanguageModel, type Role } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { type Judged, judge, type QuestionKind } from './behaviour.ts';

/** Log-probabilities of one held-out pair under base and policy, summed over tokens. */
export interface PairMeasure {
  base: { chosen: number; rejected: number };
  policy: { chosen: number; rejected: number };
  tokens: { chosen: number; rejected: number };
}

const PASS_TOKENS = 2048;

export async function heldOutRows(path: string): Promise<PreferenceRow[]> {
  const source = await openRows(path, { kind: 'preference' });
  const rows = await source.readMany(Array.from({ length: source.length }, (_, index) => index));
  await source.close();
  return rows;
}

/** Scores pairs in both roles. */
export function measurePairs(
  model: LanguageModel,
  policy: Role,
  rows: readonly PreferenceRow[],
): PairMeasure[] {
  const pairs = rows
    .map((row) => tokenisePair(row, model.tokenizer, { maxLength: null }))
    .filter((pair): pair is TokenisedPair => pair !== null);
  const measures: PairMeasure[] = new Array(pairs.length);
  for (const pass of splitMicroBatches(pairs.map(packedTokens), {
    rows: null,
    tokens: PASS_TOKENS,
  })) {
    const batch = packPairs(pass.map((index) => pairs[index]!));
    const score = (role: Role): number[] =>
      tidy(() =>
        noGrad(() => model.as(role, () => scorePairs(model, batch, false).sums)).toArray(),
      );
    const [base, tuned] = [score('reference'), score(policy)];
    pass.forEach((index, place) => {
      const of = (values: ArrayLike<number>) => ({
        chosen: values[2 * place]!,
        rejected: values[2 * place + 1]!,
      });
      measures[index] = { base: of(base), policy: of(tuned), tokens: of(batch.counts) };
    });
  }
  return measures;
}

export interface Question {
  prompt: string;
  kind: QuestionKind;
}

export interface JudgedAnswer {
  text: string;
  tokens: number[];
  verdict: Judged;
}

export interface AnswerOptions {
  adapter: string | null;
  maxNewTokens: number;
  /** 0 for greedy decoding. */
  temperature: number;
}

/** Generates and judges answers to questions. */
export async function answer(
  model: LanguageModel,
  questions: readonly Question[],
  options: AnswerOptions,
): Promise<JudgedAnswer[]> {
  const results = await generateAll(
    model,
    questions.map(({ prompt }) => promptTokens(model, prompt)),
    {
      ...options,
      batchSize: 32,
    },
  );
  return results
    .toSorted((a, b) => a.promptIndex - b.promptIndex)
    .map(({ text, tokens, finishReason, promptIndex }) => ({
      text: text.trim(),
      tokens,
      verdict: judge(text, questions[promptIndex]!.kind, finishReason === 'stop'),
    }));
}

/**
 * log p(answer | policy) - log p(answer | base) of each answer, in nats. Over answers sampled from
 * the policy at temperature 1 its mean estimates KL(policy || base).
 */
export function logRatios(
  model: LanguageModel,
  policy: Role,
  questions: readonly Question[],
  answers: readonly JudgedAnswer[],
): number[] {
  return questions.map(({ prompt }, index) => {
    const tokens = answers[index]!.tokens;
    if (tokens.length === 0) return 0;
    const builder = new BatchBuilder();
    const start = promptTokens(model, prompt);
    builder.add([...start, ...tokens]);
    const packed = builder.build();
    const scored = {
      rows: Int32Array.from(tokens, (_, place) => start.length + place - 1),
      targets: Int32Array.from(tokens),
    };
    const sum = (role: Role): number =>
      tidy(() =>
        noGrad(() => model.as(role, () => model.scoreTokens(packed, scored).logprobs.sum().item())),
      );
    return sum(policy) - sum('reference');
  });
}

function promptTokens(model: LanguageModel, prompt: string): number[] {
  const { chatTemplate } = model.tokenizer;
  if (chatTemplate === null) throw new Error('the quickstart needs a model with a chat template');
  return model.tokenizer.encode(
    chatTemplate.render([{ role: 'user', content: prompt }], { addGenerationPrompt: true }),
  );
}
