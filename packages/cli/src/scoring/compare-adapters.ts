// `keel score` with several adapters: the same rows under each, and the differences.
import { templateSettings } from '@keel/align/config';
import { bootstrapMeanInterval, pairedDifferenceInterval } from '@keel/align/internal';
import { loadAdapter, otherBaseNotice, type Role } from '@keel/model';
import { openModel } from '../open-model.ts';
import { BASE, type ScoreOptions } from '../options/score.ts';
import { complain, say, sayJson } from '../terminal.ts';
import type { AnswerSource } from './open-answers.ts';
import { scoreAnswers } from './score-answers.ts';
import { scoreFields } from './score-display.ts';
import { sayScorePlan } from './score-plan.ts';
import { meanOf, ScoreTally } from './score-tally.ts';
import { ScoredRows } from './scored-rows.ts';

/** An adapter with its scores of all rows. */
interface Compared {
  name: string;
  role: Role;
  tally: ScoreTally;
}

/**
 * Scores the rows under each adapter and shows the differences from the first one.
 * @returns the exit code
 */
export async function compareAdapters(
  source: AnswerSource,
  options: ScoreOptions,
): Promise<number> {
  const { adapters, json, batchTokens } = options;
  refuseDuplicates(adapters);
  refuseOtherTemplates(options);
  const { model, role: first } = await openModel(options);
  const compared: Compared[] = [];
  for (const [index, name] of adapters.entries()) {
    const role =
      name === BASE ? 'reference' : name === options.adapter ? first : `adapter-${index}`;
    if (name !== BASE && name !== options.adapter) {
      loadAdapter(model.decoder, name, role);
      const other = await otherBaseNotice(model, name);
      if (other !== null) complain(`note: ${other}`);
    }
    compared.push({ name, role, tally: new ScoreTally() });
  }
  const rows = new ScoredRows(source, model, options);
  if (options.dryRun) {
    sayScorePlan(model, source, options);
    return 0;
  }
  const pairs = source.kind === 'preference';
  let skipped = 0;
  for await (const { start, rows: tokenised } of rows.chunks()) {
    const fitting = tokenised.flatMap((row, place) =>
      row === null || row === undefined ? [] : [{ row, index: start + place }],
    );
    skipped += tokenised.filter((row) => row === null).length;
    for (const { name, role, tally } of compared) {
      const scores = scoreAnswers(
        model,
        role,
        fitting.map(({ row }) => row),
        batchTokens,
      );
      scores.forEach((score, place) => {
        const { row, index } = fitting[place]!;
        tally.add(score, row.labelProbability);
        const fields = scoreFields(pairs, index, score, row.labelProbability);
        if (json) sayJson({ adapter: name, ...fields });
      });
    }
  }
  for (const notice of rows.notices()) complain(notice);
  rows.refuseEmpty();
  if (skipped > 0) complain(`${skipped} rows skipped: the prompt alone fills --max-length`);
  if (Object.keys(compared[0]!.tally.measures).length === 0) return 0;
  if (json) for (const one of compared) sayJson(summaryOf(one, compared[0]!));
  else printComparison(compared);
  return 0;
}

function refuseDuplicates(adapters: readonly string[]): void {
  const twice = adapters.find((name, index) => adapters.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`--adapter: ${twice} is listed twice`);
}

/** @throws Error if the adapters were trained with different chat templates */
function refuseOtherTemplates(options: ScoreOptions): void {
  if (options.chatTemplate !== null) return;
  const [first, ...others] = options.adapters.filter((name) => name !== BASE);
  const sourceOf = (name: string | undefined) => templateSettings({}, name ?? null).source;
  const other = others.find((name) => sourceOf(name) !== sourceOf(first));
  if (other === undefined) return;
  throw new Error(
    `--adapter: ${first} and ${other} were trained with different chat templates, so their scores are of different texts. To use one for both, pass --chat-template`,
  );
}

interface Change {
  mean: number;
  /** 95% interval of the mean of the differences on the same rows. */
  interval: readonly [number, number];
}

const changesOf = ({ tally }: Compared, { tally: from }: Compared): Record<string, Change> =>
  Object.fromEntries(
    Object.entries(tally.measures).map(([name, after]) => {
      const before = from.measures[name]!;
      const interval = pairedDifferenceInterval(before, after);
      return [name, { mean: meanOf(after) - meanOf(before), interval }];
    }),
  );

function summaryOf(one: Compared, first: Compared): object {
  const means = Object.entries(one.tally.measures).map(([name, values]) => [
    name,
    { mean: meanOf(values), interval: bootstrapMeanInterval(values) },
  ]);
  return {
    ...{ type: 'summary', adapter: one.name },
    rows: Object.values(one.tally.measures)[0]!.length,
    ...Object.fromEntries(means),
    ...(one !== first && { compared_with: first.name, difference: changesOf(one, first) }),
  };
}

/** A table of means, then the differences with their intervals. */
function printComparison(compared: readonly Compared[]): void {
  const [first, ...others] = compared as [Compared, ...Compared[]];
  const names = Object.keys(first.tally.measures);
  const width = Math.max(...compared.map(({ name }) => name.length), 8);
  const line = (cells: readonly string[]): string =>
    cells.map((text, column) => (column === 0 ? text.padEnd(width) : text.padStart(16))).join('');
  const count = first.tally.measures[names[0]!]!.length;
  say(`Means of ${count} rows:`);
  say(line(['adapter', ...names.map((name) => name.replaceAll('_', ' '))]));
  for (const { name, tally } of compared) {
    const values = Object.entries(tally.measures);
    say(line([name, ...values.map(([measure, all]) => shown(measure, meanOf(all)))]));
  }
  for (const one of others) {
    say('');
    say(`${one.name} minus ${first.name}, on the same rows (95% interval):`);
    for (const [measure, { mean, interval }] of Object.entries(changesOf(one, first))) {
      const [low, high] = interval.map((value) => signed(measure, value));
      const verdict = interval[0] > 0 || interval[1] < 0 ? '' : '; no clear difference';
      say(
        `  ${measure.replaceAll('_', ' ')}: ${signed(measure, mean)} (${low} to ${high})${verdict}`,
      );
    }
  }
}

const shown = (measure: string, value: number): string =>
  measure === 'accuracy' ? `${(100 * value).toFixed(1)}%` : value.toFixed(3);

function signed(measure: string, value: number): string {
  const text = measure === 'accuracy' ? `${(100 * value).toFixed(1)} points` : value.toFixed(3);
  return value > 0 ? `+${text}` : text;
}
