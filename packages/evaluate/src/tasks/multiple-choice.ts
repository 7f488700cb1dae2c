// Multiple choice by log-likelihood: which choice the model finds most likely after the prompt.
import { setImmediate as breathe } from 'node:timers/promises';
import { choiceMetrics, type Question } from './choices.ts';
import { encodePair } from './encode-pair.ts';
import {
  type ContinuationScore,
  scoreContinuations,
  unlessTooLong,
} from './score-continuations.ts';
import type { Item, Outcome, RunHooks, Subject } from './task.ts';

/** A question with its prompt. */
export interface ChoiceRequest extends Question {
  /** The text before the choice, or one for each choice. */
  context: string | readonly string[];
  /** What is scored after the context, one for each choice. */
  continuations: readonly string[];
  /** Also score the continuations without the context. */
  unconditional: boolean;
}

/** Asks the questions one by one. */
export async function runChoices(
  items: readonly Item<ChoiceRequest>[],
  subject: Subject,
  { signal, done }: RunHooks,
): Promise<void> {
  for (const item of items) {
    await breathe();
    signal.throwIfAborted();
    done(item, await unlessTooLong(() => choiceOutcome(item.request, subject)));
  }
}

function choiceOutcome(request: ChoiceRequest, subject: Subject): Outcome {
  const { choices, gold, context, continuations } = request;
  const pairs = continuations.map(
    (text, index) => [typeof context === 'string' ? context : context[index]!, text] as const,
  );
  const { scores, truncated } = scorePairs(pairs, subject);
  const bare = request.unconditional
    ? scorePairs(
        continuations.map((text) => ['', text] as const),
        subject,
      ).scores
    : null;
  const responses = [...scores, ...(bare ?? [])].map(({ logp, greedy }) => [[logp, greedy]]);
  return {
    values: choiceMetrics(
      request,
      scores.map(({ logp }) => logp),
      scores.map(({ greedy }) => greedy),
      bare?.map(({ logp }) => logp) ?? null,
    ),
    target: gold.length === 1 ? String(gold[0]) : JSON.stringify(gold),
    arguments: [...pairs, ...(bare === null ? [] : continuations.map((text) => ['', text]))],
    responses,
    filtered: { none: responses.map(([only]) => only) },
    note: choices[
      scores.reduce((best, { logp }, at) => (logp > scores[best]!.logp ? at : best), 0)
    ]!,
    ...(truncated && { truncated }),
  };
}

/**
 * Scores pairs in one pass for each context that they have, in their order.
 * @throws LongContinuationError as `scoreContinuations`
 */
export function scorePairs(
  pairs: readonly (readonly [context: string, continuation: string])[],
  { model, role }: Subject,
): { scores: ContinuationScore[]; truncated: boolean } {
  const encoded = pairs.map(([context, text]) => encodePair(model.tokenizer, context, text));
  const groups = new Map<string, number[]>();
  encoded.forEach(({ context }, index) => {
    const key = context.join(' ');
    groups.set(key, [...(groups.get(key) ?? []), index]);
  });
  const scores = new Array<ContinuationScore>(pairs.length);
  let truncated = false;
  for (const indices of groups.values()) {
    const found = scoreContinuations(
      model,
      role,
      encoded[indices[0]!]!.context,
      indices.map((index) => encoded[index]!.continuation),
    );
    truncated ||= found.truncated;
    indices.forEach((index, place) => {
      scores[index] = found.scores[place]!;
    });
  }
  return { scores, truncated };
}
