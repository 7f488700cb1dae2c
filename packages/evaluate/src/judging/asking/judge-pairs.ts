// Asks a judge about pairs, in both orders if it sees the order.
import { createHash } from 'node:crypto';
import { asRead } from '@keel/align/data';
import type { Judge, JudgeUsage, NoVerdict, PairVerdict } from '@keel/align/judges';
import { answerText } from '../answers/answer-row.ts';
import type { ComparedPair } from '../answers/compared-pair.ts';
import {
  combineOrders,
  type OrderVerdict,
  type Side,
  type VerdictRow,
} from '../verdicts/verdict-row.ts';
import { answerFlags } from './answer-flags.ts';
import { type Comparing, comparesByRating } from './compares-by-rating.ts';
import { eachInTurn } from './each-in-turn.ts';

export interface AskingProgress {
  done: number;
  total: number;
  failed: number;
  /** What this call has cost so far, without verdicts that were there before. */
  usage: JudgeUsage;
}

export interface AskingHooks {
  signal?: AbortSignal | undefined;
  onProgress?(progress: AskingProgress): void;
}

export interface AskingOptions {
  /** Whether an empty answer loses without asking (default: true). */
  emptyLoses?: boolean;
  /** Whether to ask again where an earlier call got no verdict (default: false). */
  retryFailed?: boolean;
  /** Verdicts of earlier calls, by their key. */
  saved: ReadonlyMap<string, VerdictRow>;
  /** Receives each new verdict as soon as it is there. */
  save(row: VerdictRow): void;
}

/**
 * @returns the verdicts in the order of the pairs; null if it was interrupted
 * @throws what the judge throws if it cannot be asked; verdicts until then are saved
 */
export async function judgePairs(
  judge: Judge,
  pairs: readonly ComparedPair[],
  options: AskingOptions,
  { signal, onProgress }: AskingHooks = {},
): Promise<VerdictRow[] | null> {
  const asked = comparesByRating(judge);
  const rows = new Array<VerdictRow>(pairs.length);
  const usage: JudgeUsage = { promptTokens: 0, answerTokens: 0, cost: 0 };
  const left: { pair: ComparedPair; key: string; index: number }[] = [];
  let [done, failed] = [0, 0];
  const report = (): void =>
    onProgress?.({ done, total: pairs.length, failed, usage: { ...usage } });
  const take = (index: number, row: VerdictRow): void => {
    rows[index] = row;
    done += 1;
    if (row.failed !== null) failed += 1;
  };
  for (const [index, pair] of pairs.entries()) {
    const key = verdictKey(judge, pair, options.emptyLoses ?? true);
    const saved = options.saved.get(key);
    const again = saved === undefined || (saved.failed !== null && options.retryFailed === true);
    if (again) left.push({ pair, key, index });
    else take(index, { ...saved, ...described(judge, pair), key });
  }
  report();
  const together = asked.seesOrder && judge.concurrency > 1;
  const atOnce = together ? Math.ceil(judge.concurrency / 2) : judge.concurrency;
  const complete = await eachInTurn(left, atOnce, signal, async (one) => {
    const about = described(judge, one.pair);
    const rule = ruleFor(one.pair, options.emptyLoses ?? true);
    const orders = rule === null ? await askOrders(asked, one.pair, together, signal) : [];
    const row: VerdictRow = {
      ...about,
      ...(rule === null
        ? { ...combineOrders(orders), orders, rule: null }
        : { ...rule, orders, orders_agree: null, failed: null }),
      key: one.key,
    };
    for (const { usage: cost } of orders) {
      usage.promptTokens += cost.promptTokens;
      usage.answerTokens += cost.answerTokens;
      usage.cost += cost.cost;
    }
    options.save(row);
    take(one.index, row);
    report();
  });
  return complete ? rows : null;
}

const described = (
  { name }: Judge,
  { row, prompt, modelA, modelB, answers, category }: ComparedPair,
) => ({
  ...{ row, prompt: asRead(prompt), model_a: modelA, model_b: modelB },
  answer_a: asRead(answers[0]),
  answer_b: asRead(answers[1]),
  category,
  judge: name,
  flags_a: answerFlags(answerText(answers[0])),
  flags_b: answerFlags(answerText(answers[1])),
});

/** Both orders at the same time where the judge has use for that: they share most of their text. */
async function askOrders(
  judge: Comparing,
  pair: ComparedPair,
  together: boolean,
  signal: AbortSignal | undefined,
): Promise<OrderVerdict[]> {
  const [a, b] = pair.answers;
  const { prompt, rendering, reference, extra } = pair;
  const about = { prompt, extra, ...(rendering && { rendering }) };
  const question = { ...about, ...(reference !== undefined && { reference }) };
  const ask = async (first: Side): Promise<OrderVerdict> => {
    const answers = first === 'a' ? ([a, b] as const) : ([b, a] as const);
    return orderOf(first, await judge.compare({ ...question, answers }, signal));
  };
  if (!judge.seesOrder) return [await ask('a')];
  if (together) return Promise.all([ask('a'), ask('b')]);
  return [await ask('a'), await ask('b')];
}

function orderOf(first: Side, verdict: PairVerdict | NoVerdict): OrderVerdict {
  const { why, exchanges, usage } = verdict;
  const common = { exchanges, usage, ...(why !== undefined && { why }) };
  if ('failed' in verdict) {
    return { first, preference_first: null, tie: null, ...common, failed: verdict.failed };
  }
  if (!isShare(verdict.first) || !isShare(verdict.tie)) {
    const failed = `probabilities that are not from 0 to 1: ${verdict.first}, tie ${verdict.tie}`;
    return { first, preference_first: null, tie: null, ...common, failed };
  }
  return { first, preference_first: verdict.first, tie: verdict.tie, ...common };
}

const isShare = (value: number): boolean => value >= 0 && value <= 1;

type Ruling = Pick<VerdictRow, 'preference_b' | 'tie' | 'rule'>;

/** Pairs that need no judge. */
function ruleFor({ answers }: ComparedPair, emptyLoses: boolean): Ruling | null {
  const [a, b] = answers.map((answer) => answerText(answer).trim());
  if (a === b) return { preference_b: 0.5, tie: 1, rule: 'identical answers' };
  if (!emptyLoses || (a !== '' && b !== '')) return null;
  return { preference_b: a === '' ? 1 : 0, tie: 0, rule: 'an empty answer loses' };
}

/** Hash of all that a verdict depends on. */
export function verdictKey({ identity }: Judge, pair: ComparedPair, emptyLoses: boolean): string {
  const { prompt, answers, reference = null, rendering = null, extra } = pair;
  const about = [identity, prompt, answers, reference, rendering, extra, emptyLoses];
  return createHash('sha256').update(JSON.stringify(about, bigintText)).digest('hex');
}

const bigintText = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;
