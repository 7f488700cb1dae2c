// Scores answers with a role's scalar head, without gradients.
import type { LanguageModel, Role } from '@keel/model';
import { inTurns, noGradSteps, type Steps, type Tensor, tidySteps } from '@keel/torch';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { packJudged } from '../batching/pack-judged.ts';
import { judgedLength, type ReadAnswer } from '../batching/tokenise-judged.ts';

/** A prompt and answers to it, with the positions at which their scores are read. */
export interface AnsweredPrompt {
  prompt: number[];
  answers: ReadAnswer[];
}

/**
 * Scores answers in passes of about the same length; the event loop runs in between.
 * @param tokens maximum tokens of a pass
 * @returns scores by prompt, by read (answers in order, each with its reads), by head
 * @throws the signal's reason if it fires
 */
export async function scoreAnswers(
  model: LanguageModel,
  role: Role,
  prompts: readonly AnsweredPrompt[],
  { tokens = 1024, signal }: { tokens?: number; signal?: AbortSignal } = {},
): Promise<number[][][]> {
  const found: number[][][] = prompts.map(() => []);
  for (const pass of splitMicroBatches(prompts.map(judgedLength), { rows: null, tokens })) {
    signal?.throwIfAborted();
    const verdict = { kind: 'ranking' as const, ranks: [] };
    const batch = packJudged(pass.map((index) => ({ ...prompts[index]!, verdict })));
    using scores = await inTurns(noGradSteps(tidySteps(headScores(model, role, batch))));
    const heads = scores.dim(1);
    using row = scores.reshape(-1);
    const flat = row.toArray();
    const values = Array.from(batch.reads, (_, read) =>
      flat.slice(read * heads, (read + 1) * heads),
    ); // [R][K]
    pass.forEach((index, place) => {
      const first = batch.firstReads[place]!;
      found[index] = values.slice(first, batch.firstReads[place + 1] ?? values.length);
    });
  }
  return found;
}

function* headScores(
  model: LanguageModel,
  role: Role,
  { packed, reads }: ReturnType<typeof packJudged>,
): Steps<Tensor> {
  const { scores } = yield* model.asSteps(role, model.readHeadSteps(packed, reads));
  return scores;
}
