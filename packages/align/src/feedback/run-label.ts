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
import { drawWithoutRepetition } from './draw.ts';
import type { LabelHooks, LabelOptions, LabelResult, LabelSummary } from './label-options.ts';
import { labelPair } from './label-pair.ts';
import { type LabelLine, LabelTally, labelledRow } from './label-rows.ts';
import { ownConstitutionFile, readConstitution } from './read-constitution.ts';
import {
  type LabelData,
  type LabelPair,
  pairKey,
  readHumanLabels,
  readLabelPairs,
} from './read-label-pairs.ts';

type HumanLabels = ReadonlyMap<string, LabelPair>;

/**
 * @throws DataError for invalid rows; ConfigError for an invalid constitution; Error if the judge
 *   cannot compare or cannot be asked (finished pairs are saved), or the output exists already
 */
export async function runLabel(
  options: LabelOptions,
  hooks: LabelHooks = {},
): Promise<LabelResult> {
  const { judge, output, overwrite, dryRun = false } = options;
  if (judge.compare === undefined) {
    throw new Error(
      `${judge.name} rates single answers, but labels need a judge that compares two`,
    );
  }
  if (!overwrite && existsSync(output)) {
    throw new Error(`${output} already exists. Pass --overwrite, or choose another --output`);
  }
  const principles = principlesOf(options);
  const data = await readLabelPairs(options, options);
  if (data.badRows > 0) hooks.onNotice?.(`${data.badRows} bad rows are skipped`);
  const human: HumanLabels =
    options.human === null
      ? new Map()
      : await readHumanLabels({ ...options, data: options.human, columns: null });
  using owned = new DisposableStack();
  claimOutput(output, dirname(output), { dryRun, owned, notice: hooks.onNotice });
  const each = Math.min(options.principlesPerPair ?? principles.length, principles.length);
  const identity = {
    '--data': data.fingerprint,
    '--judge': judge.identity,
    'principles of --constitution': JSON.stringify(principles),
    '--principles-per-pair': each,
    '--pairs-per-prompt': options.pairsPerPrompt,
    '--clamp': options.clamp.join(' to '),
    '--seed': options.seed,
  };
  const chunk = Math.max(1, judge.concurrency);
  const how = {
    ...{ chunk, prompts: data.pairs.length, overwrite },
    parse: (text: string) => JSON.parse(text) as LabelLine,
  };
  const total = data.pairs.length;
  hooks.onPlan?.({
    ...{ judge: judge.name, pairs: total, done: Journal.done(output, identity, how) },
    principles: judge.isAskedInWords ? each : 0,
    verdicts: total * (judge.seesOrder ? 2 : 1) * (judge.isAskedInWords ? each : 1),
    human: human.size,
  });
  if (dryRun) return { output, interrupted: false, done: 0, summary: null };
  const journal = Journal.open(output, identity, how);
  if (journal.length > 0) {
    hooks.onNotice?.(`Resuming after ${journal.length} pairs (${journal.path})`);
  }
  hooks.onProgress?.({ pairs: journal.length, total });
  while (journal.length < total) {
    if (hooks.signal?.aborted) {
      return { output, interrupted: true, done: journal.length, summary: null };
    }
    const from = journal.length;
    const lines = await chunkOf(data.pairs.slice(from, from + chunk), from, {
      ...{ options, principles, each, signal: hooks.signal },
    });
    if (lines === null) return { output, interrupted: true, done: journal.length, summary: null };
    journal.append(lines);
    hooks.onProgress?.({ pairs: journal.length, total });
  }
  const summary = finish(journal, data, human, output);
  journal.remove();
  return { output, interrupted: false, done: total, summary };
}

interface Asked {
  options: LabelOptions;
  principles: readonly PreferencePrinciple[];
  /** Principles per pair. */
  each: number;
  signal: AbortSignal | undefined;
}

/** @returns null if it was aborted */
async function chunkOf(
  pairs: readonly LabelPair[],
  from: number,
  { options, principles, each, signal }: Asked,
): Promise<LabelLine[] | null> {
  const { judge, clamp, seed } = options;
  const asked = pairs.map(async (pair, at): Promise<LabelLine> => {
    const own = drawWithoutRepetition(principles, { seed, row: from + at, rounds: each });
    return { row: pair.row, ...(await labelPair(judge, pair, { principles: own, clamp, signal })) };
  });
  const settled = await Promise.allSettled(asked);
  if (signal?.aborted) return null;
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Writes the rows from the journal, and those that people alone labelled after them. */
function finish(
  journal: Journal<LabelLine>,
  { pairs, single }: LabelData,
  human: HumanLabels,
  output: string,
): LabelSummary {
  const tally = new LabelTally();
  let [rows, humanOnly] = [0, 0];
  fillFileAtomic(output, (descriptor) => {
    const write = (row: object): void => {
      rows += 1;
      writeFully(descriptor, `${exactJson(row)}\n`);
    };
    const left = new Map(human);
    let at = 0;
    for (const label of journal.read()) {
      const pair = pairs[at++]!;
      const key = pairKey(pair);
      const known = human.get(key);
      left.delete(key);
      const people = known === undefined ? null : probabilityFor(pair, known);
      tally.add(pair, label, people);
      const probability = people ?? label.probability;
      if (probability === null) continue;
      const source = people === null ? 'judge' : 'people';
      write(labelledRow(pair, probability, { source, judge: label }));
    }
    for (const pair of left.values()) {
      humanOnly += 1;
      write(labelledRow(pair, pair.given!, { source: 'people', judge: null }));
    }
  });
  return tally.summary({ rows, single, humanOnly });
}

/** People's probability that the first answer of a pair is better. */
const probabilityFor = (pair: LabelPair, known: LabelPair): number => {
  const same = exactJson(known.answers[0]) === exactJson(pair.answers[0]);
  return same ? known.given! : 1 - known.given!;
};

function principlesOf({ constitution, principlesPerPair }: LabelOptions): PreferencePrinciple[] {
  const { preferences } = readConstitution(constitution ?? ownConstitutionFile);
  if (preferences.length === 0) {
    throw new Error(
      `${constitution}: has critiques only, but no questions for judges ("preference"). Pass another --constitution`,
    );
  }
  if (principlesPerPair !== null && principlesPerPair > preferences.length) {
    throw new Error(
      `--principles-per-pair: ${constitution ?? 'the constitution'} has ${preferences.length} principles, fewer than ${principlesPerPair}`,
    );
  }
  return [...preferences];
}
