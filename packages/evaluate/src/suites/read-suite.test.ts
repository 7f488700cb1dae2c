import { writeFileSync } from 'node:fs';
import { ConfigError } from '@keel/align/config';
import { expect, test } from 'vitest';
import { TemporaryFolder } from '../../../cli/src/testing/command-line.ts';
import { readSuite } from './read-suite.ts';

const suite = (folder: TemporaryFolder, text: string): string => {
  const path = folder.file('small.yaml');
  writeFileSync(path, text);
  return path;
};

test('a suite has its defaults, and data next to it', () => {
  using folder = new TemporaryFolder();
  const path = suite(
    folder,
    'tasks:\n  - {name: sums, type: multiple-choice, data: sums.jsonl, answer: "{{right}}"}\n',
  );
  const { name, tasks } = readSuite(path);
  expect(name).toBe('small');
  expect(tasks[0]!.place).toBe(`${path}:2:5`);
  expect(tasks[0]!.spec).toMatchObject({
    ...{ type: 'multiple-choice', prompt: 'prompt', choices: 'choices', answer: '{{right}}' },
    ...{ delimiter: ' ', data: folder.file('sums.jsonl'), mutual_information: false },
  });
});

test.each([
  [
    'a key',
    'tasks:\n  - {name: a, type: perplexity, data: a.csv, txt: b}\n',
    /:2:46: .*"txt".*"text"/,
  ],
  [
    'a type',
    'tasks:\n  - {name: a, type: perplexty, data: a.csv}\n',
    /:2:15: .*"perplexty".*"perplexity"/,
  ],
  ['no type', 'tasks:\n  - {name: a, data: a.csv}\n', /:2:5: type.*multiple-choice.*win-rate/s],
  ['no data', 'tasks:\n  - {name: a, type: perplexity}\n', /:2:5: .*data/],
  ['a number', 'tasks:\n  - {name: a, type: perplexity, data: b, limit: 0}\n', /:2:42: limit.*0/],
  ['a name', 'tasks:\n  - {name: a/b, type: perplexity, data: b}\n', /:2:6: name.*a\/b/],
  ['no tasks', 'name: a\n', /:1:1: .*tasks/],
  [
    'duplicates',
    'tasks:\n  - {name: a, type: perplexity, data: b}\n  - {name: a, type: perplexity, data: b}\n',
    /:3:6: .*"a"/,
  ],
])('%s that is wrong has its place', (_, text, message) => {
  using folder = new TemporaryFolder();
  const path = suite(folder, text);
  expect(() => readSuite(path)).toThrow(ConfigError);
  expect(() => readSuite(path)).toThrow(message);
});

test('an unknown suite is an error', () => {
  expect(() => readSuite('cor')).toThrow(/--suite cor/);
});
