// Columns of classes, as datasets writes them to Parquet: numbers whose names are in the file's
// metadata.
import { isPlainObject } from '@keel/model/exact-json';
import type { FileMetaData } from 'hyparquet';

/** Names of answers that a label calls good, and the opposite of each. */
const opposites = [
  ['true', 'false'],
  ['yes', 'no'],
  ['good', 'bad'],
  ['positive', 'negative'],
  ['pos', 'neg'],
  ['desirable', 'undesirable'],
  ['chosen', 'rejected'],
  ['preferred', 'dispreferred'],
  ['accepted', 'rejected'],
  ['correct', 'incorrect'],
  ['right', 'wrong'],
  ['thumbsup', 'thumbsdown'],
  ['up', 'down'],
  ['like', 'dislike'],
  ['liked', 'disliked'],
  ['helpful', 'unhelpful'],
  ['safe', 'unsafe'],
  ['1', '0'],
] as const;

/**
 * Whether the classes of the column `label` are good, by number; null if it has no classes.
 * @throws Error if their names do not tell
 */
export function goodClasses({ key_value_metadata: pairs }: FileMetaData): boolean[] | null {
  const names = classNames(pairs?.find(({ key }) => key === 'huggingface')?.value);
  if (names === null) return null;
  const plain = names.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
  for (const [good, bad] of opposites) {
    if (plain.length !== 2 || !plain.includes(good) || !plain.includes(bad)) continue;
    return plain.map((name) => name === good);
  }
  throw new Error(
    `column "label" has the classes ${names.map((name, number) => `${number}: ${JSON.stringify(name)}`).join(', ')}, and it is not clear which is the good one. Replace them by true and false, or name them good and bad`,
  );
}

function classNames(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not what datasets writes.
    return null;
  }
  for (const name of ['info', 'features', 'label']) {
    if (!isPlainObject(value)) return null;
    value = value[name];
  }
  if (!isPlainObject(value) || value._type !== 'ClassLabel' || !Array.isArray(value.names)) {
    return null;
  }
  return value.names.map(String);
}
