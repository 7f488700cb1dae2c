// `keel label`: a judge labels pairs of answers under the principles of a constitution, with
// probabilities. The rows are for `keel dpo`, `keel reward` and `keel kto`.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { exactJson } from '@keel/model/exact-json';
import { writeFully } from '../files/append-whole.ts';
import { fillFileAtomic } from '../files/atomic-write.ts';
import { Journal } from '../runs/journal.ts';
import { claimOutput } from '../runs/sampling-job.ts';
import type { PreferencePrinciple } from './constitution.ts';
import type { LabelHooks, LabelOptions, LabelResult, LabelSummary } from './label-options.ts';
import {
  isCutPair,
  type LabelLine,
  LabelTally,
  labelledRow,
  type RatingLine,
} from './label-rows.ts';
import { comparing, type LabelWork, rating } from './label-work.ts';
import { constitutionWith } from './read-constitution.ts';
import { type LabelPair, pairKey, readHumanLabels } from './read-label-pairs.ts';

type HumanLabels = ReadonlyMap<string, LabelPair>;

/**
 * @throws DataError for invalid rows; ConfigError for an invalid constitution; Error if the judge
 *   cannot do what it is to do or cannot be asked (finished pairs are saved), or the output exists
 *   already
 */
export async function runLabel(
  options: LabelOptions,
  hooks: LabelHooks = {},
): Promise<LabelResult> {
  const { judge, output, overwrite, pairing } = options;
  if (!overwrite && existsSync(output)) {
    throw new Error(`${output} already exists. Pass --overwrite, or choose another --output`);
  }
  if (pairing === 'best-worst') {
    const rate = judge.rate?.bind(judge);
    if (rate !== undefined) return run(await rating({ ...options, rate }), options, hooks);
    throw new Error(`${judge.name} only compares, but best-worst needs a judge that rates`);
  }
  if (judge.compare === undefined) {
    throw new Error(
      `${judge.name} rates single answers, but labels need a judge that compares two`,
    );
  }
  if (judge.isAskedInWords !== true) refusePrinciples(options);
  return run(await comparing(options, principlesOf(options)), options, hooks);
}

/** @throws Error naming an option that has no effect on a judge without words */
function refusePrinciples({ judge, constitution, principlesPerPair }: LabelOptions): void {
  const named = Object.entries({
    '--constitution': constitution,
    '--principles-per-pair': principlesPerPair,
  }).find(([, value]) => value !== null);
  if (named === undefined) return;
  throw new Error(
    `${named[0]}: has no effect, because ${judge.name} is not asked under principles. Remove the option, or choose another --judge`,
  );
}

async function run<Line extends LabelLine | RatingLine>(
  work: LabelWork<Line>,
  options: LabelOptions,
  hooks: LabelHooks,
): Promise<LabelResult> {
  const { judge, output, overwrite, dryRun = false } = options;
  if (work.badRows > 0) hooks.onNotice?.(`${work.badRows} bad rows are skipped`);
  if (work.cutOff > 0) {
    hooks.onNotice?.(
      `${work.cutOff} answers were cut off at the maximum length. Training refuses their pairs, unless --on-bad-row skip leaves them out: generate with a larger --max-new-tokens`,
    );
  }
  if (work.replaced.length > 0) {
    hooks.onNotice?.(`these fields of the rows are written anew: ${work.replaced.join(', ')}`);
  }
  const { labels: human, badRows } = await humanLabels(options);
  if (badRows > 0) hooks.onNotice?.(`--human: ${badRows} bad rows are skipped`);
  using owned = new DisposableStack();
  claimOutput(output, dirname(output), { dryRun, owned, notice: hooks.onNotice });
  const identity = {
    '--data': work.fingerprint,
    '--judge': judge.identity,
    ...work.identity,
  };
  const chunk = Math.max(1, judge.concurrency);
  const { total, principles, verdicts } = work;
  const how = {
    ...{ chunk, prompts: total, overwrite },
    parse: (text: string) => JSON.parse(text) as Line,
  };
  hooks.onPlan?.({
    ...{ judge: judge.name, pairs: total, done: Journal.done(output, identity, how) },
    ...{ principles, verdicts, human: human.size },
  });
  if (dryRun) return { output, interrupted: false, done: 0, summary: null };
  const journal = Journal.open(output, identity, how);
  if (journal.length > 0) {
    const unit = options.pairing === 'best-worst' ? 'prompts' : 'pairs';
    hooks.onNotice?.(`Resuming after ${journal.length} ${unit} (${journal.path})`);
  }
  hooks.onProgress?.({ pairs: journal.length, total });
  while (journal.length < total) {
    if (hooks.signal?.aborted) {
      return { output, interrupted: true, done: journal.length, summary: null };
    }
    const from = journal.length;
    const lines = await chunkOf(work, { from, to: Math.min(total, from + chunk) }, hooks.signal);
    if (lines === null) return { output, interrupted: true, done: journal.length, summary: null };
    journal.append(lines);
    hooks.onProgress?.({ pairs: journal.length, total });
  }
  const summary = finish(journal, work, human, output);
  journal.remove();
  return { output, interrupted: false, done: total, summary };
}

const humanLabels = async (
  options: LabelOptions,
): Promise<{ labels: HumanLabels; badRows: number }> =>
  options.human === null
    ? { labels: new Map(), badRows: 0 }
    : await readHumanLabels({ ...options, data: options.human, columns: null });

/** @returns null if it was aborted */
async function chunkOf<Line>(
  { ask }: LabelWork<Line>,
  { from, to }: { from: number; to: number },
  signal: AbortSignal | undefined,
): Promise<Line[] | null> {
  const asked = Array.from({ length: to - from }, (_, at) => ask(from + at, signal));
  const settled = await Promise.allSettled(asked);
  if (signal?.aborted) return null;
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Writes the rows from the journal, and those that people alone labelled after them. */
function finish<Line extends LabelLine | RatingLine>(
  journal: Journal<Line>,
  { labelled, single }: LabelWork<Line>,
  human: HumanLabels,
  output: string,
): LabelSummary {
  const tally = new LabelTally();
  let [rows, humanOnly, cutOff] = [0, 0, 0];
  fillFileAtomic(output, (descriptor) => {
    const write = (row: object): void => {
      rows += 1;
      if (isCutPair(row)) cutOff += 1;
      writeFully(descriptor, `${exactJson(row)}\n`);
    };
    const left = new Map(human);
    let at = 0;
    for (const line of journal.read()) {
      if ('ratings' in line) tally.addRatings(line.ratings);
      const found = labelled(line, at++);
      if (found.pair === null) {
        tally.addWithout(found);
        continue;
      }
      const { pair, label, ratings } = found;
      const key = pairKey(pair);
      const known = human.get(key);
      left.delete(key);
      const people = known === undefined ? null : probabilityFor(pair, known);
      tally.add(found, people);
      const probability = people ?? label.probability;
      if (probability === null) continue;
      const source = people === null ? 'judge' : 'people';
      write(labelledRow(pair, probability, { source, judge: label, ratings }));
    }
    for (const pair of left.values()) {
      humanOnly += 1;
      write(labelledRow(pair, pair.given!, { source: 'people', judge: null }));
    }
  });
  return tally.summary({ rows, cutOff, single, humanOnly });
}

/** People's probability that the first answer of a pair is better. */
const probabilityFor = (pair: LabelPair, known: LabelPair): number => {
  const same = exactJson(known.answers[0]) === exactJson(pair.answers[0]);
  return same ? known.given! : 1 - known.given!;
};

function principlesOf({ constitution, principlesPerPair }: LabelOptions): PreferencePrinciple[] {
  const { preferences } = constitutionWith('preferences', constitution);
  if (principlesPerPair !== null && principlesPerPair > preferences.length) {
    throw new Error(
      `--principles-per-pair: ${constitution ?? 'the constitution'} has ${preferences.length} principles, fewer than ${principlesPerPair}`,
    );
  }
  return [...preferences];
}
