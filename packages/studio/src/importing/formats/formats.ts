// Every format that `keel data import` reads. To add one, write its file and a line here.
import { detectFormat, type Fields, formatNamed } from '@keel/align/converting';
import { DataError, type Place } from '@keel/align/data';
import { type TaskFormatName, taskFormatNames } from '../../names.ts';
import { argilla } from './argilla.ts';
import { battles } from './battles.ts';
import { labelStudio, labelStudioMin } from './label-studio.ts';
import { ofRows, samples } from './rows.ts';
import type { TaskFormat } from './task-format.ts';

/** In the order in which they are recognised. */
const byName: Readonly<Record<TaskFormatName, TaskFormat>> = {
  argilla,
  'label-studio': labelStudio,
  'label-studio-min': labelStudioMin,
  battles,
  samples,
};
const ownFormats = Object.values(byName);

export interface Detected {
  format: TaskFormat;
  /** What it was recognised by. */
  reason: string;
}

/** The format of a row, by its columns. @throws DataError if there is none */
export function detectTasks(row: Fields, place: Place): Detected {
  for (const format of ownFormats) {
    const reason = format.recognise(row);
    if (reason !== null) return { format, reason };
  }
  try {
    const { format, reason } = detectFormat(row, place);
    return { format: ofRows(format), reason };
  } catch (error) {
    if (!(error instanceof DataError) || !error.expected?.startsWith('the columns of one of'))
      throw error;
    throw new DataError({
      ...place,
      expected: `the columns of one of ${taskFormatNames.join(', ')}, or of rows that keel data convert reads`,
      found: error.found,
      ...(error.advice !== undefined && { advice: error.advice }),
    });
  }
}

/** A format by its name. */
export function tasksNamed(name: string): Detected {
  const format = ownFormats.find((one) => one.name === name) ?? ofRows(formatNamed(name));
  return { format, reason: `--from ${name}` };
}
