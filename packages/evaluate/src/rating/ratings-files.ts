// The folder of --output: ratings.json, ratings.csv, report.html.
import { join } from 'node:path';
import { refuseExisting, writeFileAtomic } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { type RatingJsonInput, ratingsJson } from './ratings-json.ts';
import { writeRatingsReport } from './ratings-report.ts';

export type RatingFiles = Readonly<Record<'json' | 'csv' | 'report', string>>;

const filesOf = (folder: string): RatingFiles => ({
  json: join(folder, 'ratings.json'),
  csv: join(folder, 'ratings.csv'),
  report: join(folder, 'report.html'),
});

/** @throws ConfigError for files that exist, unless they may be overwritten */
export const checkRatingFiles = (folder: string, overwrite: boolean): void =>
  refuseExisting(Object.values(filesOf(folder)), overwrite);

export function writeRatingFiles(
  folder: string,
  input: RatingJsonInput,
  command: string,
): RatingFiles {
  const files = filesOf(folder);
  makeFolder(folder);
  writeFileAtomic(files.json, `${JSON.stringify(ratingsJson(input), null, 2)}\n`);
  writeFileAtomic(files.csv, ratingsCsv(input));
  writeRatingsReport(files.report, input, command);
  return files;
}

function ratingsCsv({ results: { overall, elo, categories } }: RatingJsonInput): string {
  const header = [
    ...['category', 'rank_best', 'rank_worst', 'model', 'rating', 'lower', 'upper'],
    ...['win_rate', 'battles', ...(elo === null ? [] : ['elo'])],
  ];
  const rowsOf = (category: string, ratings: typeof overall.ratings): unknown[][] =>
    ratings.map(({ name, rating, interval, ranks, winRate, battles }) => [
      ...[category, ...ranks, name, rating, ...interval, winRate, battles],
      ...(elo === null ? [] : [category === '' ? elo.get(name) : '']),
    ]);
  const rows = [
    ...rowsOf('', overall.ratings),
    ...categories.flatMap(({ name, ratings }) => rowsOf(name, ratings?.ratings ?? [])),
  ];
  return [header, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\n`).join('');
}

function csvCell(value: unknown): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
