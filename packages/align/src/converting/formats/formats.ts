// Every format that `keel data convert` reads. To add one, write its file and a line here.
import { DataError, type Place, shorten } from '../../data/data-error.ts';
import { alpaca, dolly } from './alpaca.ts';
import { ultraFeedbackBinarized } from './binarized.ts';
import type { Fields, RowFormat } from './example.ts';
import { helpSteer } from './helpsteer.ts';
import { helpSteer3 } from './helpsteer3.ts';
import { hh } from './hh.ts';
import { humanVotes } from './human-votes.ts';
import { keel } from './keel.ts';
import { openAi } from './openai.ts';
import { openAiPreference } from './openai-preference.ts';
import { shareGpt } from './sharegpt.ts';
import { ultraFeedback } from './ultrafeedback.ts';

export const rowFormats: readonly RowFormat[] = [
  alpaca,
  dolly,
  shareGpt,
  hh,
  ultraFeedback,
  ultraFeedbackBinarized,
  helpSteer,
  helpSteer3,
  humanVotes,
  openAi,
  openAiPreference,
  keel,
];

/** The names of all formats, with their other names. */
export const formatNames: readonly string[] = rowFormats.flatMap(({ name, aliases = [] }) => [
  name,
  ...aliases,
]);

export const formatNamed = (name: string): RowFormat =>
  rowFormats.find((one) => one.name === name || one.aliases?.includes(name))!;

export interface Detected {
  format: RowFormat;
  /** What it was recognised by. */
  reason: string;
}

/**
 * The format of a row, by its columns.
 * @throws DataError if there is none, or more than one
 */
export function detectFormat(row: Fields, place: Place): Detected {
  const found = rowFormats.flatMap((format) => {
    const reason = format.recognise(row);
    return reason === null ? [] : [{ format, reason }];
  });
  const others = found.filter(({ format }) => format !== keel);
  const [first, ...more] = others.length > 0 ? others : found;
  const columns = shorten(Object.keys(row).join(', '), 300);
  if (first === undefined) {
    throw new DataError({
      ...place,
      expected: `the columns of one of ${formatNames.join(', ')}`,
      found: columns,
      advice:
        'Name your columns with --columns, such as --columns prompt=question,completion=answer, or pass --from',
    });
  }
  if (more.length === 0) return first;
  const names = [first, ...more].map(({ format, reason }) => `${format.name} (${reason})`);
  throw new DataError({
    ...place,
    expected: 'the columns of one format',
    found: names.join(' and '),
    advice: `Choose one with --from ${[first, ...more].map(({ format }) => format.name).join(' or --from ')}`,
  });
}
