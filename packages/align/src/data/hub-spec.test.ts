import { expect, test } from 'vitest';
import { DataError } from './data-error.ts';
import { parseHubSpec, selectHubFiles } from './hub-spec.ts';

test.each([
  ['hub:a/b', { repository: 'a/b', revision: 'main' }],
  ['hub:a/b-c.d@v1', { repository: 'a/b-c.d', revision: 'v1' }],
  ['hub:a/b:test', { repository: 'a/b', revision: 'main', split: 'test' }],
  [
    'hub:a/b@refs/convert/parquet:train',
    { repository: 'a/b', revision: 'refs/convert/parquet', split: 'train' },
  ],
  ['hub:a/b/data/x.parquet', { repository: 'a/b', revision: 'main', path: 'data/x.parquet' }],
  ['hub:a/b@v1/en/:test', { repository: 'a/b', revision: 'v1', path: 'en', split: 'test' }],
])('%s', (spec, expected) => {
  expect(parseHubSpec(spec)).toEqual(expected);
});

test.each(['hub:', 'hub:name', 'hub:a/b@', 'hub:a/b:', 'hub:a b/c'])('%s is rejected', (spec) => {
  expect(() => parseHubSpec(spec)).toThrow(DataError);
});

const select = (spec: string, ...paths: string[]) =>
  selectHubFiles(
    parseHubSpec(spec),
    paths.map((path) => ({ path, size: 1 })),
  ).map(({ path }) => path);

test('the shards of the training split are the default, in order', () => {
  const shards = ['data/train-00001-of-00002.parquet', 'data/train-00000-of-00002.parquet'];
  expect(select('hub:a/b', ...shards, 'data/test-00000-of-00001.parquet', 'README.md')).toEqual([
    'data/train-00000-of-00002.parquet',
    'data/train-00001-of-00002.parquet',
  ]);
  expect(select('hub:a/b', 'rows.jsonl', 'info.txt')).toEqual(['rows.jsonl']);
  expect(select('hub:a/b:validation', 'train.csv', 'dev.csv')).toEqual(['dev.csv']);
});

test('one format of several, a file by its path, a folder by its name', () => {
  expect(select('hub:a/b', 'train.jsonl', 'train.parquet')).toEqual(['train.parquet']);
  expect(select('hub:a/b/train.jsonl', 'train.jsonl', 'train.parquet')).toEqual(['train.jsonl']);
  expect(select('hub:a/b/en', 'en/train.csv', 'de/train.csv')).toEqual(['en/train.csv']);
});

test('a split name matches exactly before it matches as a prefix', () => {
  const paths = ['train-0.parquet', 'train_sft-0.parquet', 'test_prefs-0.parquet'];
  expect(select('hub:a/b', ...paths)).toEqual(['train-0.parquet']);
  expect(select('hub:a/b:train_sft', ...paths)).toEqual(['train_sft-0.parquet']);
  expect(select('hub:a/b:test', ...paths)).toEqual(['test_prefs-0.parquet']);
});

test('a selection that would mix or miss data is an error that lists the files', () => {
  expect(() => select('hub:a/b', 'en/train.csv', 'de/train.csv')).toThrow(
    'several: en/train.csv, de/train.csv',
  );
  expect(() => select('hub:a/b', 'train_sft.parquet', 'train_prefs.parquet')).toThrow(
    'one configuration',
  );
  expect(() => select('hub:a/b', 'test.csv')).toThrow('files of the split "train", found test.csv');
  expect(() => select('hub:a/b:extra', 'train.csv')).toThrow('files of the split "extra"');
  expect(() => select('hub:a/b/x.csv', 'train.csv')).toThrow('the file or folder x.csv');
  expect(() => select('hub:a/b', 'README.md', 'a.tar')).toThrow('found only README.md, a.tar');
});
