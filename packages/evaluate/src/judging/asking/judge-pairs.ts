// Asks a judge about pairs, in both orders if it sees the order.
import { asRead } from '@keel/align/data';
import {
  isNoVerdict,
  type Judge,
  type NoVerdict,
  noUsage,
  type PairVerdict,
  totalUsage,
} from '@keel/align/judges';
import { answerText } from '../answers/answer-row.ts';
import type { ComparedPair } from '../answers/compared-pair.ts';
import {
  combineOrders,
  type OrderVerdict,
  type Side,
  type VerdictRow,
} from '../verdicts/verdict-row.ts';
import { answerFlags } from './answer-flags.ts';
import { type AskingHooks, askEach, type ResumingOptions, rowKey } from './ask-each.ts';
import { type Comparing, comparesByRating } from './compares-by-rating.ts';

export interface AskingOptions extends ResumingOptions<VerdictRow> {
  /** Whether an empty answer loses without asking (default: true). */
  emptyLoses?: boolean;
}

/**
 * @returns the verdicts in the order of the pairs; null if it was interrupted
 * @throws what the judge throws if it cannot be asked; verdicts until then are saved
 */
export function judgePairs(
  judge: Judge,
  pairs: readonly ComparedPair[],
  { emptyLoses = true, ...resuming }: AskingOptions,
  hooks: AskingHooks = {},
): Promise<VerdictRow[] | null> {
  const asked = comparesByRating(judge);
  const { concurrency } = judge;
  const together = asked.seesOrder && concurrency > 1;
  return askEach(
    pairs,
    {
      keyOf: (pair) => verdictKey(judge, pair, emptyLoses),
      described: (pair) => described(judge, pair),
      async ask(pair) {
        const rule = ruleFor(pair, emptyLoses);
        if (rule !== null) return { said: rule, usage: noUsage };
        const orders = await askOrders(asked, pair, together, hooks.signal);
        return {
          said: { ...combineOrders(orders), orders, rule: null },
          usage: totalUsage(orders.map(({ usage }) => usage)),
        };
      },
      concurrency: together ? Math.ceil(concurrency / 2) : concurrency,
    },
    resuming,
    hooks,
  );
}

/** Hash of all that a verdict depends on. */
export const verdictKey = (judge: Judge, pair: ComparedPair, emptyLoses: boolean): string =>
  rowKey(judge, pair, emptyLoses);

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
  const { why, exchanges, usage, transient } = verdict;
  const again = transient === true && { transient };
  const common = { exchanges, usage, ...(why !== undefined && { why }), ...again };
  if (isNoVerdict(verdict)) {
    const { failed } = verdict;
    return { first, preference_first: null, tie: null, ...common, failed };
  }
  if (!isShare(verdict.first) || !isShare(verdict.tie)) {
    const failed = `probabilities that are not from 0 to 1: ${verdict.first}, tie ${verdict.tie}`;
    return { first, preference_first: null, tie: null, ...common, failed };
  }
  return { first, preference_first: verdict.first, tie: verdict.tie, ...common };
}

const isShare = (value: number): boolean => value >= 0 && value <= 1;

type Ruling = Omit<VerdictRow, keyof ReturnType<typeof described> | 'key'>;

/** Pairs that need no judge. */
function ruleFor({ answers }: ComparedPair, emptyLoses: boolean): Ruling | null {
  const [a, b] = answers.map((answer) => answerText(answer).trim());
  const unasked = { orders: [], orders_agree: null, failed: null };
  if (a === b) return { preference_b: 0.5, tie: 1, ...unasked, rule: 'identical answers' };
  if (!emptyLoses || (a !== '' && b !== '')) return null;
  return { preference_b: a === '' ? 1 : 0, tie: 0, ...unasked, rule: 'an empty answer loses' };
}
