// Log-probabilities of answers to prompts, each of which is computed once for all of its answers.
import { BatchBuilder, type LanguageModel } from '@keel/model';
import type { TokenisedAnswer } from '../batching/tokenise-pair.ts';

/** A prompt with answers to it. */
export interface TokenisedGroup {
  prompt: readonly number[];
  answers: readonly TokenisedAnswer[];
}

/** What a model says of one answer. */
export interface AnswerLogprob {
  /** log p(answer | prompt), summed over its scored tokens, in nats */
  logp: number;
  /** Scored tokens. */
  tokens: number;
}

/**
 * One pass in the role that is on.
 * @returns by group, then by answer
 */
export function answerLogprobs(
  model: LanguageModel,
  groups: readonly TokenisedGroup[],
): AnswerLogprob[][] {
  const builder = new BatchBuilder();
  const rows: number[] = [];
  const targets: number[] = [];
  const counts = groups.map(({ prompt, answers }) => {
    const prefix = prompt.length > 0 ? builder.add(prompt) : -1;
    const asked = builder.size - 1;
    return answers.map(({ tokens, scored }) => {
      const first = targets.length;
      if (tokens.length === 0) return 0;
      const start = builder.size;
      builder.add(tokens, prefix);
      for (const [at, token] of tokens.entries()) {
        // The first token is predicted by the prompt's last one; without a prompt by nothing.
        if (!scored[at] || (at === 0 && prefix < 0)) continue;
        rows.push(at === 0 ? asked : start + at - 1);
        targets.push(token);
      }
      return targets.length - first;
    });
  });
  const { logprobs } = model.scoreTokens(builder.build(), {
    rows: Int32Array.from(rows),
    targets: Int32Array.from(targets),
  });
  const values = logprobs.toArray() as number[]; // [N]
  let next = 0;
  return counts.map((group) =>
    group.map((tokens) => {
      const own = values.slice(next, next + tokens);
      next += tokens;
      return { logp: own.reduce((sum, value) => sum + value, 0), tokens };
    }),
  );
}
