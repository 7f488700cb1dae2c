// Pairs by what policies prefer: the implicit reward of DPO (Rafailov et al. 2023,
// arXiv:2305.18290, eq. 5), beta * (log pi(y | x) - log pi_ref(y | x)), or the likelihood alone. A
// margin near 0 is a pair on which the policy is undecided.
import {
  baseOfAdapter,
  ChatTemplateError,
  type LanguageModel,
  type LoadModelOptions,
  loadAdapter,
  loadModel,
  otherBase,
  type Role,
} from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { tokeniseAnswers } from '../batching/tokenise-answers.ts';
import type { TokenisedAnswer } from '../batching/tokenise-pair.ts';
import { runResult } from '../config/run-result.ts';
import { templateSettings } from '../config/template-options.ts';
import type { AnswerGroup } from '../feedback/read-label-pairs.ts';
import { refuseOtherTokens } from '../reference/other-tokens.ts';
import { isAdapter } from '../rewards/reward-member.ts';
import { answerLogprobs, type TokenisedGroup } from './answer-logprobs.ts';
import type { PolicyOptions } from './policy-options.ts';
import { valuesOf } from './reward-scorer.ts';
import type { PairScorer, ScoringHooks } from './scorer.ts';

/** Tokens of a pass. */
const PASS = 4096;

const UNREADABLE = 'answers that the policy cannot read';

/**
 * @throws CheckpointError if files are damaged; Error if a reference is missing or has no effect,
 *   or has other tokens, or one of several policies is no adapter or has another base
 */
export async function openPolicyScorer(
  { policy, reference, beta, margin }: PolicyOptions,
  loading: Pick<LoadModelOptions, 'precision' | 'device'>,
): Promise<PairScorer> {
  const folders = policy.map(runResult);
  const adapters = folders.filter(isAdapter);
  if (folders.length > 1 && adapters.length < folders.length)
    throw new Error(
      `--policy: several policies are adapters of one base model, but ${folders.find((one) => !isAdapter(one))} is no adapter`,
    );
  const isWhole = adapters.length === 0;
  if (margin === 'likelihood' && reference !== null)
    throw new Error('--reference has no effect with --margin likelihood. Remove one of the two');
  if (margin === 'implicit' && isWhole && reference === null)
    throw new Error(
      `--policy ${policy[0]}: an implicit reward needs the model that the training started from. Name it with --reference, or pass --margin likelihood`,
    );
  const template = templateSettings({}, adapters[0] ?? null);
  const base = isWhole ? folders[0]! : baseOfAdapter(folders[0]!);
  const model = await loadModel(base, { ...loading, template });
  const roles: Role[] = [];
  try {
    for (const [at, folder] of adapters.entries()) {
      const other = await otherBase(model, folder);
      if (other !== null)
        throw new Error(
          `--policy ${other}. Pass adapters that were trained on this one base model`,
        );
      loadAdapter(model.decoder, folder, `policy-${at}`);
      roles.push(`policy-${at}`);
    }
    if (isWhole) roles.push('reference');
  } catch (error) {
    model.dispose();
    throw error;
  }
  return {
    ...{ members: folders.length, unit: 'prompts', owner: "policy's" },
    async score(groups, pairs, hooks) {
      const limit = model.decoder.config.maxPositions;
      const tokenised = groups.map((group) => tokenise(group, model));
      const fits = ({ prompt }: TokenisedGroup, { tokens }: TokenisedAnswer): boolean =>
        prompt.length + tokens.length <= limit;
      const readable = tokenised.map(
        (group): TokenisedGroup => ({
          prompt: group?.prompt ?? [],
          answers: group?.answers.filter((answer) => fits(group, answer)) ?? [],
        }),
      );
      // Every member scores everything, and the reference once.
      const passes = roles.length + (margin === 'implicit' ? 1 : 0);
      const under = (on: LanguageModel, role: Role, done: number): Promise<number[][] | null> =>
        logprobsOf(on, role, readable, {
          ...(hooks.signal && { signal: hooks.signal }),
          onProgress: ({ done: own, total }) =>
            hooks.onProgress?.({
              done: Math.floor((done * total + own) / passes),
              total,
            }),
        });
      const own: number[][][] = [];
      for (const [at, role] of roles.entries()) {
        const found = await under(model, role, at);
        if (found === null) return null;
        own.push(found);
      }
      let before: number[][] | null = readable.map(({ answers }) => answers.map(() => 0));
      if (margin === 'implicit') {
        if (reference === null) before = await under(model, 'reference', roles.length);
        else {
          // It gets tokens, so its own template has no part in it.
          const other = await loadModel(runResult(reference), loading);
          try {
            refuseOtherTokens(
              { tokenizer: other.tokenizer, option: `--reference ${reference}` },
              { tokenizer: model.tokenizer, option: `--policy ${policy[0]}` },
            );
            before = await under(other, 'reference', roles.length);
          } finally {
            other.dispose();
          }
        }
        if (before === null) return null;
      }
      const factor = margin === 'implicit' ? beta : 1;
      const rewards = tokenised.map((group, prompt) => {
        let place = 0;
        if (group === null) return groups[prompt]!.answers.map(() => null);
        return group.answers.map((answer) => {
          if (!fits(group, answer)) return null;
          const at = place++;
          return own.map((member) => factor * (member[prompt]![at]! - before[prompt]![at]!));
        });
      });
      return valuesOf(pairs, rewards, UNREADABLE);
    },
    [Symbol.asyncDispose]: async () => model.dispose(),
  };
}

/** A group whose answers the chat template refuses has none. */
function tokenise(
  { prompt, answers, rendering }: AnswerGroup,
  { tokenizer }: LanguageModel,
): TokenisedGroup | null {
  try {
    const { prompt: tokens, answers: own } = tokeniseAnswers(prompt, answers, tokenizer, rendering);
    return { prompt: tokens, answers: own };
  } catch (error) {
    if (error instanceof ChatTemplateError) return null;
    throw error;
  }
}

/**
 * log p(answer | prompt), summed over the scored tokens, in nats.
 * @returns by group, then by answer; null if it was stopped
 */
async function logprobsOf(
  model: LanguageModel,
  role: Role,
  groups: readonly TokenisedGroup[],
  { signal, onProgress }: ScoringHooks,
): Promise<number[][] | null> {
  const results: number[][] = groups.map(() => []);
  const lengths = groups.map(({ prompt, answers }) =>
    answers.reduce((sum, { tokens }) => sum + tokens.length, prompt.length),
  );
  const filled = [...groups.keys()].filter((at) => groups[at]!.answers.length > 0);
  const own = filled.map((at) => lengths[at]!);
  let done = groups.length - filled.length;
  for (const pass of splitMicroBatches(own, { rows: null, tokens: PASS })) {
    if (signal?.aborted) return null;
    onProgress?.({ done, total: groups.length });
    await new Promise((resolve) => setImmediate(resolve));
    const places = pass.map((at) => filled[at]!);
    const batch = places.map((at) => groups[at]!);
    const sums = tidy(() => noGrad(() => model.as(role, () => answerLogprobs(model, batch)))).map(
      (group) => group.map(({ logp }) => logp),
    );
    // A sum that is not finite is no score: report the cause.
    if (!sums.flat().every(Number.isFinite)) model.as(role, () => model.explainNonFinite());
    for (const [index, at] of places.entries()) results[at] = sums[index]!;
    done += places.length;
  }
  onProgress?.({ done: groups.length, total: groups.length });
  return results;
}
