// Measures models on held-out pairs and prompts, with the same code, rows, prompts and seed however
// they were trained.
import type { LanguageModel, Role } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { Steps } from '@keel/torch';
import type { PackedPairs } from '../batching/pack-pairs.ts';
import { tokenisePrompt } from '../batching/tokenise-prompt.ts';
import { placeName } from '../data/data-error.ts';
import { isSoft } from '../data/label-probability.ts';
import { isChat } from '../data/messages.ts';
import type { RowSource } from '../data/open-rows.ts';
import { RowFaults } from '../data/row-faults.ts';
import { PairSource, type PlacedPair, pairPacking } from '../methods/pairs/pair-source.ts';
import { pairScoring, scorePairsSteps } from '../methods/pairs/score-pairs.ts';
import { answerKey } from '../reference/open-reference.ts';
import { type Reference, RowReference } from '../reference/reference.ts';
import type { SharedReferences } from '../reference/reference-cache.ts';
import type { Reward } from '../rewards/reward.ts';
import { judgeSamples } from '../rollouts/judge-samples.ts';
import type { PlacedPrompt } from '../rollouts/prompt-source.ts';
import { Rollouts } from '../rollouts/rollouts.ts';
import { rolloutSeed, sampleRollouts } from '../rollouts/sample-rollouts.ts';
import { rolloutLogprobs } from '../rollouts/score-rollouts.ts';
import { type Pass, passes } from '../training/passes.ts';
import type { Measured, MeasuredAnswer, MeasuredPairs } from './measured.ts';

/** A model in one of its roles. */
export interface Subject {
  model: LanguageModel;
  role: Role;
}

export interface HeldOutOptions {
  /** The model to compare with. */
  reference: Subject & { adapterHash: string | null; precision: 'fp32' | 'bf16' };
  rows: RowSource<'preference'>;
  onBadRow: 'fail' | 'skip';
  maxLength: number | null;
  /** Number of prompts to answer: the first distinct ones. */
  prompts: number;
  maxNewTokens: number;
  seed: number;
  reward: Reward | null;
  /** The cache of the reference's log-probabilities of the pairs. */
  references: SharedReferences;
}

export type MeasuredPart = 'pairs' | 'answers' | 'suites';

/** Reports the progress of each part of a measurement. */
export interface MeasuringHooks {
  onProgress?(part: MeasuredPart, done: number, total: number): void;
  signal?: AbortSignal | undefined;
}

/** Same as in `keel score`. */
const LIMIT = { rows: null, tokens: 4096 };
/** Pairs read at a time. */
const PAIRS = 64;

/** Prompts answered at a time: more are faster, but each needs memory for its cache. */
const promptsAtATime = (maxNewTokens: number): number =>
  Math.min(64, Math.max(8, Math.floor(16_384 / maxNewTokens)));

export class HeldOut {
  readonly #options: HeldOutOptions;
  readonly #pairs: readonly PlacedPair[];
  readonly #reference: Reference<PackedPairs>;
  readonly #prompts: readonly PlacedPrompt[];

  private constructor(
    options: HeldOutOptions,
    pairs: readonly PlacedPair[],
    reference: Reference<PackedPairs>,
    prompts: readonly PlacedPrompt[],
  ) {
    this.#options = options;
    this.#pairs = pairs;
    this.#reference = reference;
    this.#prompts = prompts;
  }

  /** @throws Error if no pair or no prompt fits */
  static async open(options: HeldOutOptions): Promise<HeldOut> {
    const { reference, rows, maxLength, onBadRow, references } = options;
    const { model, role } = reference;
    const { maxPositions: positions, vocabularySize } = model.decoder.config;
    const how = { seed: 0, shuffle: false, maxLength, positions, vocabularySize, onBadRow };
    using source = new PairSource(rows, model.tokenizer, { ...how, option: '--eval-data' });
    source.expect(rows.length);
    const pairs: PlacedPair[] = [];
    for (let start = 0; start < rows.length; start += PAIRS) {
      const count = Math.min(PAIRS, rows.length - start);
      pairs.push(...(await source.read(Array.from({ length: count }, (_, at) => start + at))));
    }
    if (pairs.length === 0) source.refuseNothingLeft();
    const scores = new RowReference({
      ...{ model, role, scoring: pairScoring(false) },
      rows: { training: 0, heldOut: rows.length },
      shared: references.of(await answerKey(reference, reference)),
    });
    return new HeldOut(options, pairs, scores, await firstPrompts(options, positions));
  }

  /**
   * @throws the signal's reason if it is aborted
   * @throws Error that names the row whose answer the reward cannot judge
   */
  async measure(subject: Subject, hooks: MeasuringHooks = {}): Promise<Omit<Measured, 'suites'>> {
    const pairs = await this.#measurePairs(subject, hooks);
    // The reference's scores are complete: save them whatever happens next.
    this.#options.references.save();
    return { pairs, answers: await this.#measureAnswers(subject, hooks) };
  }

  async #measurePairs({ model, role }: Subject, hooks: MeasuringHooks): Promise<MeasuredPairs> {
    const count = this.#pairs.length;
    const blank = (): number[] => new Array<number>(count).fill(0);
    const found = {
      rows: this.#pairs.map(({ row }) => row),
      ...{ chosen: blank(), rejected: blank() },
      ...{ referenceChosen: blank(), referenceRejected: blank() },
      ...{ tokensChosen: blank(), tokensRejected: blank() },
    };
    const probabilities = this.#pairs.map(({ pair }) => pair.labelProbability);
    const placesOf = new Map(this.#pairs.map((pair, at) => [pair, at]));
    let done = 0;
    const parts = { model, role, limit: LIMIT };
    const work = async (pass: Pass<PlacedPair, PackedPairs>) => {
      hooks.signal?.throwIfAborted();
      const score = function* (): Steps<number[]> {
        const { sums } = yield* scorePairsSteps(model, pass.batch, false);
        return sums.toArray();
      };
      const own = await pass.compute(model.asSteps(role, score()));
      return { own, known: await this.#reference.logprobs(pass) };
    };
    const options = { divisor: null };
    for await (const { pass, found: scored } of passes(
      parts,
      this.#pairs,
      pairPacking,
      options,
      work,
    )) {
      const { batch, placed } = pass;
      const { own, known } = scored;
      this.#reference.learn(pass, known);
      const reference = known.whole;
      placed.forEach((pair, place) => {
        const at = placesOf.get(pair)!;
        const [first, second] = [2 * place, 2 * place + 1];
        found.chosen[at] = own[first]!;
        found.rejected[at] = own[second]!;
        found.referenceChosen[at] = reference[first]!;
        found.referenceRejected[at] = reference[second]!;
        found.tokensChosen[at] = batch.counts[first]!;
        found.tokensRejected[at] = batch.counts[second]!;
      });
      done += placed.length;
      hooks.onProgress?.('pairs', done, count);
    }
    if (!probabilities.some(isSoft)) return found;
    return { ...found, probabilities: probabilities.map((one) => one ?? 1) };
  }

  async #measureAnswers(subject: Subject, hooks: MeasuringHooks): Promise<MeasuredAnswer[]> {
    const { reference, maxNewTokens, seed, reward, rows } = this.#options;
    const atATime = promptsAtATime(maxNewTokens);
    const sampling = { samplesPerPrompt: 1, maxNewTokens, batchSize: atATime };
    const answers: MeasuredAnswer[] = [];
    const total = this.#prompts.length;
    for (let start = 0; start < total; start += atATime) {
      const prompts = this.#prompts.slice(start, start + atATime);
      // Sample from the model's own distribution: the KL estimate is only valid for that.
      const plain = { ...sampling, temperature: 1, topK: null, topP: 1 };
      const own = rolloutSeed(seed, `held-out ${start}`);
      const { signal } = hooks;
      const { model, role } = subject;
      const sampled = await sampleRollouts(model, role, prompts, plain, own, signal);
      // Do not measure interrupted answers.
      signal?.throwIfAborted();
      const rollouts = Rollouts.of(sampled);
      const how = { limit: LIMIT, temperature: 1 };
      const policy = await rolloutLogprobs(model, role, rollouts, how);
      const known = await rolloutLogprobs(reference.model, reference.role, rollouts, how);
      const ratios = policy.map((one, token) => one - known[token]!);
      const k1 = rollouts.layout.sums(ratios);
      const k3 = rollouts.layout.sums(ratios.map((ratio) => Math.expm1(-ratio) + ratio));
      const judged =
        reward &&
        (await judgeSamples(reward, sampled, {
          learns: false,
          place: (row) => placeName(rows.place(row)),
        }));
      sampled.samples.forEach(({ group, text, tokens, ended }, at) => {
        const { row, prompt } = prompts[group]!;
        answers.push({
          ...{ row, prompt: isChat(prompt) ? (prompt.at(-1)?.content ?? '') : prompt },
          ...{ text, tokens: tokens.length, ended, k1: k1[at]!, k3: k3[at]! },
          score: judged?.scores[at] ?? null,
        });
      });
      hooks.onProgress?.('answers', Math.min(total, start + atATime), total);
    }
    return answers;
  }
}

/** The first distinct prompts that leave longest for an answer. */
async function firstPrompts(
  { rows, onBadRow, reference, prompts: most, maxNewTokens, maxLength }: HeldOutOptions,
  positions: number,
): Promise<PlacedPrompt[]> {
  const { tokenizer } = reference.model;
  const longest = Math.min(positions, maxLength === null ? positions : maxLength + maxNewTokens);
  const found: PlacedPrompt[] = [];
  const seen = new Set<string>();
  const faults = new RowFaults(onBadRow);
  let row = -1;
  for await (const { prompt, extra, rendering } of rows.iterate()) {
    row++;
    if (found.length === most) break;
    const text = exactJson([prompt, rendering]);
    if (seen.has(text)) continue;
    seen.add(text);
    const options = { maxPromptLength: longest - maxNewTokens };
    // A bad pair has been reported already; its prompt is just as bad.
    const tokenised = faults.take(rows.place(row), () =>
      tokenisePrompt({ prompt, extra, ...(rendering && { rendering }) }, tokenizer, options),
    );
    if (!tokenised || tokenised.tokens.length === 0) continue;
    found.push({ row, ...tokenised });
  }
  if (found.length > 0) return found;
  throw new Error(
    `--eval-data: no prompt leaves longest for --max-new-tokens ${maxNewTokens} within the model's ${positions} tokens. Lower --max-new-tokens`,
  );
}
