import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { expect, onTestFinished, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { openReward } from './open-reward.ts';
import { parseShortForm } from './short-form.ts';

test('short forms', () => {
  expect(parseShortForm('regex:/a\\/b/i')).toMatchObject({ pattern: 'a\\/b', flags: 'i' });
  expect(parseShortForm('length:50-200')).toMatchObject({ min: 50, max: 200, unit: 'characters' });
  expect(parseShortForm('length:-200:words')).toMatchObject({ max: 200, unit: 'words' });
  expect(parseShortForm('length:~150:tokens')).toMatchObject({ target: 150, unit: 'tokens' });
  expect(parseShortForm('code')).toMatchObject({ type: 'code', language: 'python' });
  expect(parseShortForm('judge:hub:a/b')).toMatchObject({ type: 'judge', model: 'hub:a/b' });
  expect(parseShortForm('a/b.mts#c')).toMatchObject({ type: 'function', module: 'a/b.mts#c' });
  expect(parseShortForm(tmpdir())).toMatchObject({ type: 'model', path: tmpdir() });
});

test.each([
  ['regex:a', 'write regex:/pattern/flags'],
  ['regex:/(/', 'Unterminated group'],
  ['length:long', 'write length:50-200'],
  ['length:9-3', 'above max'],
  ['code:cobol', 'language'],
  ['nothing', 'no such file or folder'],
])('%s is rejected', (text, message) => {
  expect(() => parseShortForm(text)).toThrow(message);
});

test('a spec finds its modules next to it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keel-spec-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'double.mjs'), 'export default ({ completion }) => 2 * completion;');
  writeFileSync(
    join(folder, 'reward.yaml'),
    'rewards:\n  - {type: function, name: twice, module: double.mjs, clip: [0, 5]}\n  - {type: regex, pattern: "1"}\n',
  );
  await using reward = await openReward(join(folder, 'reward.yaml'));
  expect((await reward.score(answers(['1', '4']))).map(({ score }) => score)).toEqual([3, 5]);
});

test("tokens are the model's own", async () => {
  await using reward = await openReward('length:1-3:tokens', {
    tokenizer: goldenPath('tiny-chat'),
  });
  const [short, long] = await reward.score(answers(['a', 'a sentence of quite some words']));
  expect([short!.score, long!.score]).toEqual([1, 0]);
});
