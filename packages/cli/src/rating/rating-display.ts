import { drawBar } from '@keel/align/internal';
import {
  battlesText,
  intervalText,
  nextText,
  type RatingJsonInput,
  ratingsJson,
  readSentences,
  styleNames,
  styleText,
  whole,
} from '@keel/evaluate/rating';
import type { SingleBar } from 'cli-progress';
import { complain, say, sayJson, styled } from '../terminal.ts';
import { terminalBar } from '../training/terminal-bar.ts';

/** Progress of reading and of the bootstrap, on a terminal only. */
export class RatingBar implements Disposable {
  #what = '';
  readonly #bar: SingleBar | null = terminalBar(process.stderr, (columns, share) => {
    const text = `${Math.floor(100 * share)}% of ${this.#what}`;
    return `${drawBar(share, Math.max(8, Math.min(30, columns - text.length - 2)))}  ${text}`;
  });

  show(what: 'rows' | 'samples', share: number): void {
    if (this.#bar === null) return;
    if (what !== this.#what) this.stop();
    this.#what = what;
    if (!this.#bar.isActive) this.#bar.start(1, share);
    else this.#bar.update(share);
    // The bootstrap does not let timers run.
    if (what === 'samples') this.#bar.render();
  }

  stop(): void {
    this.#bar?.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

interface Shown {
  json: boolean;
  matrix: boolean;
}

export function showRatings(
  input: RatingJsonInput,
  files: Readonly<Record<string, string>> | null,
  { json, matrix }: Shown,
): void {
  const { read, results } = input;
  const { overall } = results;
  if (json) {
    sayJson({ ...ratingsJson(input), ...(files !== null && { files }) });
    return;
  }
  for (const [format, names] of Object.entries(read.formats))
    say(`read as ${format}: ${names.join(', ')}`);
  for (const sentence of readSentences(read)) say(sentence);
  say('');
  showTable(tableOf(input));
  say('');
  say('rank: intervals that do not overlap decide');
  say('win rate: expected against the other models, each equally often');
  say(`95% interval: ${intervalText(input)}`);
  if (overall.coefficients.length > 0) {
    say(styled('bold', '\nStyle'), ' (effect of one standard deviation, in log-odds)');
    for (const [index, one] of overall.coefficients.entries())
      say(`  ${styleText(styleNames[index]!, one)}`);
  }
  if (results.categories.length > 0) showCategories(input);
  if (matrix) showMatrix(input);
  if (results.next.length > 0) {
    say(styled('bold', '\nNext battles'), ' that make the ratings most certain');
    for (const pair of results.next) say(`  ${nextText(pair)}`);
  }
  if (files !== null) {
    say('');
    for (const path of Object.values(files)) say(path);
  }
  if (overall.skippedSamples > 0) {
    complain(
      `note: ${overall.skippedSamples} bootstrap samples have no ratings, since a model won or lost everything in them. They are not in the intervals: collect more battles, or pass --prior 400`,
    );
  }
}

function tableOf({ results: { overall, elo } }: RatingJsonInput): string[][] {
  return [
    [
      ...['rank', 'model', 'rating', '95% interval', 'win rate', 'battles'],
      ...(elo === null ? [] : ['Elo']),
    ],
    ...overall.ratings.map(({ name, rating, interval, ranks: [best, worst], winRate, battles }) => [
      best === worst ? String(best) : `${best}-${worst}`,
      name,
      rating.toFixed(1),
      interval.map((end) => end.toFixed(1)).join(' to '),
      percent(winRate),
      whole(battles),
      ...(elo === null ? [] : [elo.get(name)!.toFixed(1)]),
    ]),
  ];
}

function showCategories({ read, results: { overall, categories } }: RatingJsonInput): void {
  say(styled('bold', `\nBy ${read.categories!.column}`), ': rating and half of its 95% interval');
  showTable([
    ['', 'model', ...categories.map(({ name }) => name)],
    ['', '', ...categories.map(({ battles }) => battlesText(battles))],
    ...overall.ratings.map(({ name }) => [
      '',
      name,
      ...categories.map(({ ratings }) => {
        const own = ratings?.ratings.find((one) => one.name === name);
        if (own === undefined) return '-';
        return `${own.rating.toFixed(0)} ± ${((own.interval[1] - own.interval[0]) / 2).toFixed(0)}`;
      }),
    ]),
  ]);
  for (const { name, why } of categories) if (why !== null) say(`  ${name}: ${why}`);
}

function showMatrix({ results: { overall, pairs } }: RatingJsonInput): void {
  say(styled('bold', '\nWin rate'), ' of the row against the column, and battles');
  const numbers = overall.ratings.map((_, index) => String(index + 1));
  showTable([
    ['', 'model', ...numbers],
    ...overall.ratings.map(({ name }, i) => [
      numbers[i]!,
      name,
      ...overall.ratings.map((_, j) => {
        const count = pairs.battles[i]![j]!;
        return i === j || count === 0 ? '-' : `${percent(pairs.wins[i]![j]! / count)}/${count}`;
      }),
    ]),
  ]);
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

/** A table whose second column is text and whose others are numbers. */
function showTable(table: readonly (readonly string[])[]): void {
  const widths = table[0]!.map((_, at) => Math.max(...table.map((cells) => cells[at]!.length)));
  for (const cells of table) {
    const line = cells.map((cell, at) =>
      at === 1 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
    );
    say(line.join('  ').trimEnd());
  }
}
