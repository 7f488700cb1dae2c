// Refreshes the reward model of an online run: a policy leaves the answers that the model was
// trained on, so pairs of what it answers now are labelled and mixed with the old comparisons
// (iterated RLHF: Stiennon et al. 2020, arXiv:2009.01325; Bai et al. 2022, arXiv:2204.05862,
// section 4.5). Keel's own: a refresh that does worse on held-out comparisons is undone, and an
// accepted one is calibrated, so that a KL coefficient keeps its meaning.
import { noGrad, phase, type Tensor, tidy } from '@keel/torch';
import { isChat } from '../../data/messages.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import { shuffledOrder } from '../../data/shuffle.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { scoreChecked } from '../../rewards/checked-outcomes.ts';
import type { Reward, RewardInput } from '../../rewards/reward.ts';
import type { AnsweredPrompt } from '../../rewards/score-answers.ts';
import type { PlacedPrompt } from '../../rollouts/prompt-source.ts';
import { rolloutSeed } from '../../rollouts/sample-rollouts.ts';
import type { SampleLine } from '../../runs/samples-log.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import { type LearningPasses, type LearntPair, PairLearner } from '../reward/pair-learner.ts';
import { type Answered, type ChosenPair, choosePairs } from './choose-pairs.ts';
import type { RefreshOptions } from './refresh-options.ts';
import { bothAnswers, type Calibration, type RefreshedReward } from './refreshed-reward.ts';

/** One in so many new pairs is never trained on. */
const HELD_OUT = 4;

/** A labelled pair of answers to a prompt of the run's data. */
interface FreshPair {
  row: number;
  chosen: string;
  rejected: string;
}

export interface RefresherParts extends LearningPasses {
  reward: RefreshedReward;
  labels: Reward;
  /** The old comparisons. */
  old: Comparisons;
  /** Held-out comparisons. */
  heldOut: readonly PreferenceRow[];
  /** The prompts of these rows of the run's data. */
  prompts(rows: readonly number[]): Promise<readonly PlacedPrompt[]>;
  settings: Omit<RefreshOptions, 'refreshLabels' | 'refreshData' | 'refreshEvalData'> & {
    weightDecay: number;
    maxGradNorm: number | null;
  };
  seed: number;
  notice(text: string): void;
  signal?: AbortSignal | undefined;
}

/** Pairs that are read when they are needed. */
export interface Comparisons {
  readonly length: number;
  readMany(places: readonly number[]): Promise<readonly PreferenceRow[]>;
}

interface State {
  refreshes: number;
  accepted: number;
  /** Of the batches since the last refresh. */
  answered: Answered[];
  fresh: FreshPair[];
  freshHeldOut: FreshPair[];
  calibration: Calibration;
  /** Of the fixed answers before the first refresh. */
  start: { mean: number; deviation: number } | null;
}

export class Refresher implements Disposable {
  readonly #parts: RefresherParts;
  readonly #learner: PairLearner;
  #state: State = {
    ...{ refreshes: 0, accepted: 0, answered: [], fresh: [], freshHeldOut: [] },
    ...{ calibration: { scale: 1, shift: 0 }, start: null },
  };

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    const { reward, settings } = parts;
    const { weightDecay, maxGradNorm } = settings;
    this.#learner = new PairLearner({
      ...{ model: reward.model.model, role: reward.role, parameters: reward.parameters },
      ...{ weightDecay, maxGradNorm, name: 'refresh', title: 'the refreshed reward model' },
    });
  }

  /** @param batches rollout batches so far */
  isDue(batches: number): boolean {
    return batches > 0 && batches % this.#parts.settings.refresh! === 0;
  }

  /** Remembers the answers of a batch for the next refresh. */
  observe(lines: readonly Pick<SampleLine, 'row' | 'completion' | 'reward'>[]): void {
    const { answered } = this.#state;
    const begun = answered.length;
    for (const { row, completion: text, reward } of lines) {
      if (reward === null) continue;
      const known = answered.slice(begun).find((one) => one.row === row);
      if (known === undefined) answered.push({ row, answers: [{ text, reward }] });
      else known.answers.push({ text, reward });
    }
  }

  /** Labels, trains, and keeps the result if it is no worse. */
  async run(): Promise<Metrics> {
    return await phase('refresh', () => this.#run());
  }

  async #run(): Promise<Metrics> {
    const { settings, notice, reward, seed } = this.#parts;
    const state = this.#state;
    const number = state.refreshes;
    state.refreshes += 1;
    const own = rolloutSeed(seed, `refresh ${number}`);
    const chosen = choosePairs(state.answered, settings.refreshPairs, own);
    state.answered = [];
    const labelled = await this.#label(chosen);
    const held = labelled.filter((_, at) => at % HELD_OUT === HELD_OUT - 1);
    state.fresh.push(...labelled.filter((_, at) => at % HELD_OUT !== HELD_OUT - 1));
    state.freshHeldOut.push(...held);
    const metrics: Metrics = {
      'refresh/labelled': labelled.length,
      'refresh/without_label': chosen.length - labelled.length,
      'refresh/pairs': state.fresh.length,
    };
    if (state.fresh.length === 0) {
      notice(`refresh ${number + 1}: no pair of answers has a label, so nothing is learnt`);
      return { ...metrics, 'refresh/accepted': 0 };
    }
    const before = await this.#measure();
    state.start ??= before.fixed;
    const kept = tidy(() => {
      const { values, tensors } = this.#learner.state();
      return { values, tensors: copied(tensors) };
    });
    const loss = await this.#learn(own);
    const after = await this.#measure();
    const accepted = after.accuracy >= before.accuracy;
    if (accepted) {
      state.accepted += 1;
      state.calibration = calibrationTo(state.start, after.fixed);
      reward.calibration = state.calibration;
    } else tidy(() => this.#learner.restore(kept.values, kept.tensors));
    for (const one of kept.tensors.values()) one.dispose();
    notice(sentence(number + 1, before, after, accepted));
    return {
      ...metrics,
      'refresh/accepted': Number(accepted),
      'refresh/accepted_total': state.accepted,
      'refresh/loss': loss,
      'refresh/accuracy_before': before.accuracy,
      'refresh/accuracy': after.accuracy,
      ...(after.fresh !== null && {
        'refresh/new_accuracy_before': before.fresh!,
        'refresh/new_accuracy': after.fresh,
      }),
      // In deviations of the fixed answers before.
      'refresh/drift': (after.fixed.mean - before.fixed.mean) / (before.fixed.deviation || 1),
      'refresh/scale': after.fixed.deviation / (before.fixed.deviation || 1),
    };
  }

  /** Pairs with the better answer first; without those of equal or no scores. */
  async #label(pairs: readonly ChosenPair[]): Promise<FreshPair[]> {
    if (pairs.length === 0) return [];
    const { labels, signal } = this.#parts;
    const prompts = await this.#promptsOf(pairs);
    const inputs = pairs.flatMap(({ row, texts }) =>
      texts.map((text): RewardInput => {
        const { extra, opened, ...asked } = prompts.get(row)!;
        return { ...answerTo(asked, text), extra, opened };
      }),
    );
    const outcomes = await scoreChecked(labels, inputs, signal ?? new AbortController().signal);
    return pairs.flatMap(({ row, texts: [one, other] }, at) => {
      const [a, b] = [outcomes[2 * at]!.score, outcomes[2 * at + 1]!.score];
      if (a === null || b === null || a === b) return [];
      const [chosen, rejected] = a > b ? [one, other] : [other, one];
      return [{ row, chosen, rejected }];
    });
  }

  /** @returns the mean loss of a pair */
  async #learn(seed: number): Promise<number> {
    const { settings, reward, old, limit, recomputes, count } = this.#parts;
    const { refreshSteps: steps, refreshBatchSize: size, refreshShare: share } = settings;
    const { fresh } = this.#state;
    const news = Math.max(1, Math.round(size * share));
    const olds = size - news;
    const next = inTurn(seed);
    let [loss, trained] = [0, 0];
    for (let step = 0; step < steps; step++) {
      const places = next.fresh(fresh.length, news);
      // What the reward model cannot read, such as a long answer, it was not trained on either.
      const rows = (await old.readMany(next.old(old.length, olds))).filter((row) =>
        reward.canRead(row),
      );
      const pairs = [
        ...(await this.#read(places.map((place) => fresh[place]!))),
        ...rows.map((row) => this.#comparison(row)),
      ];
      trained += pairs.length;
      const how = { limit, ...(recomputes && { recomputes }), ...(count && { count }) };
      try {
        loss += await this.#learner.step(pairs, settings.refreshLearningRate, how);
      } catch (error) {
        if (!(error instanceof NonFiniteLossError)) throw error;
        // Its rows are not all of --data.
        throw new Error(
          `a refresh of the reward model failed: ${error.message}. Pass a lower --refresh-learning-rate`,
          { cause: error },
        );
      }
    }
    return loss / trained;
  }

  /** Held-out accuracy, and mean and deviation of the model's own rewards on fixed answers. */
  async #measure(): Promise<Measured> {
    const { heldOut, signal } = this.#parts;
    const fresh = await this.#gaps(await this.#rowsOf(this.#state.freshHeldOut), signal);
    const old = await this.#gaps(heldOut, signal);
    const all = [...old.gaps, ...fresh.gaps];
    const { mean, variance } = moments(old.rewards);
    return {
      accuracy: accuracyOf(all),
      fresh: fresh.gaps.length === 0 ? null : accuracyOf(fresh.gaps),
      comparisons: all.length,
      fixed: { mean, deviation: Math.sqrt(variance) },
    };
  }

  async #gaps(rows: readonly PreferenceRow[], signal: AbortSignal | undefined) {
    const answers = rows.flatMap(bothAnswers);
    const found = await this.#parts.reward.model.scoreRows(answers, signal);
    const rewards = found.map(({ score }) => score);
    return { rewards, gaps: rows.map((_, at) => rewards[2 * at]! - rewards[2 * at + 1]!) };
  }

  async #rowsOf(pairs: readonly FreshPair[]): Promise<PreferenceRow[]> {
    const prompts = await this.#promptsOf(pairs);
    return pairs.map(({ row, chosen, rejected }) => {
      const asked = prompts.get(row)!;
      const [better, worse] = [chosen, rejected].map((text) => answerTo(asked, text));
      const { prompt, completion, rendering } = better!;
      const both = { prompt, chosen: completion, rejected: worse!.completion, extra: {} };
      return { ...both, ...(rendering && { rendering }) };
    });
  }

  async #read(pairs: readonly FreshPair[]): Promise<LearntPair[]> {
    const rows = await this.#rowsOf(pairs);
    return rows.map((row, at) => ({ ...this.#comparison(row), row: pairs[at]!.row }));
  }

  /** A comparison as the reward model reads it. */
  #comparison(row: PreferenceRow): LearntPair {
    const [better, worse] = this.#parts.reward.model.read(bothAnswers(row)) as [
      AnsweredPrompt,
      AnsweredPrompt,
    ];
    return { row: -1, prompt: better.prompt, answers: [...better.answers, ...worse.answers] };
  }

  async #promptsOf(pairs: readonly { row: number }[]): Promise<Map<number, PlacedPrompt>> {
    const rows = [...new Set(pairs.map(({ row }) => row))];
    if (rows.length === 0) return new Map();
    const prompts = await this.#parts.prompts(rows);
    return new Map(prompts.map((prompt) => [prompt.row, prompt]));
  }

  state(): TaskState {
    const learnt = this.#learner.state();
    return { values: { learner: learnt.values, ...this.#state }, tensors: learnt.tensors };
  }

  /** @throws Error if the state has no refreshed reward model, or another one */
  check(values: unknown, tensors: TaskState['tensors']): void {
    const { learner, answered, fresh } = (values ?? {}) as Record<string, unknown>;
    if (!Array.isArray(answered) || !Array.isArray(fresh)) {
      throw new Error('this run was started without --refresh; resume it the same way');
    }
    this.#learner.check(learner, tensors);
  }

  /** @throws Error like `check` */
  restore(values: unknown, tensors: TaskState['tensors']): void {
    this.check(values, tensors);
    const { learner, ...state } = structuredClone(values) as State & { learner: unknown };
    this.#learner.restore(learner, tensors);
    this.#state = state;
    this.#parts.reward.calibration = state.calibration;
  }

  [Symbol.dispose](): void {
    this.#learner[Symbol.dispose]();
  }
}

interface Measured {
  /** On all held-out comparisons, old and new. */
  accuracy: number;
  /** On the new ones; null without any. */
  fresh: number | null;
  comparisons: number;
  fixed: { mean: number; deviation: number };
}

/** Share of comparisons whose better answer has the higher reward; ties count half. */
const accuracyOf = (gaps: readonly number[]): number =>
  gaps.reduce((sum, gap) => sum + (gap > 0 ? 1 : gap === 0 ? 0.5 : 0), 0) / gaps.length;

/** What gives the fixed answers their first mean and deviation again. */
export function calibrationTo(start: Measured['fixed'], now: Measured['fixed']): Calibration {
  const scale = now.deviation > 0 && start.deviation > 0 ? start.deviation / now.deviation : 1;
  return { scale, shift: start.mean - scale * now.mean };
}

const copied = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  noGrad(
    () => new Map([...tensors].map(([name, tensor]) => [name, tensor.detach().clone().keep()])),
  );

/** Places in random order, again and again, without one twice before all were taken. */
function inTurn(seed: number) {
  const turns = () => {
    let [order, epoch, at] = [[] as number[], 0, 0];
    return (length: number, count: number): number[] =>
      Array.from({ length: count }, () => {
        if (at === order.length) [order, at] = [[...shuffledOrder(length, seed, epoch++)], 0];
        return order[at++]!;
      });
  };
  return { fresh: turns(), old: turns() };
}

/** An answer to a prompt, as text or as the assistant's turn. */
const answerTo = (
  { prompt, rendering }: Pick<PlacedPrompt, 'prompt' | 'rendering'>,
  text: string,
) => ({
  prompt,
  completion: isChat(prompt) ? [{ role: 'assistant' as const, content: text }] : text,
  ...(rendering && { rendering }),
});

function sentence(number: number, before: Measured, after: Measured, accepted: boolean): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const what = `accuracy on ${after.comparisons} held-out comparisons ${percent(before.accuracy)} -> ${percent(after.accuracy)}`;
  return `refresh ${number} of the reward model: ${what}; ${accepted ? 'kept' : 'undone, the old model stays'}`;
}
