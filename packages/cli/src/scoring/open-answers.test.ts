import { writeFileSync } from 'node:fs';
import { readsPromptsOnly } from '@keel/align/rewards';
import { expect, test } from 'vitest';
import { TemporaryFolder } from '../testing/command-line.ts';
import { openAnswers } from './open-answers.ts';
import { openJudged } from './reward-rows.ts';

test.each<[string, object]>([
  ['input', { prompt: 'Translate:', input: 'chat', completion: 'cat' }],
  ['context', { prompt: 'When?', context: 'X began in 1999.', chosen: '1999', rejected: '2000' }],
  ['completion', { prompt: 'a', chosen: 'b', rejected: 'c', completion: 'd' }],
])('the field %s is refused by name, since the score would ignore it', async (field, row) => {
  using folder = new TemporaryFolder();
  const data = folder.file('rows.jsonl');
  writeFileSync(data, `${JSON.stringify(row)}\n`);
  const options = { data: [data], onBadRow: 'fail' as const };
  await expect(openAnswers(options)).rejects.toMatchObject({ line: 1, field });
  await expect(openJudged(options, readsPromptsOnly('judge:m'))).rejects.toMatchObject({ field });
  // A reward function can read other columns, but not a second form of answers.
  const judged = openJudged(options, readsPromptsOnly('reward.ts')).then(async (source) => {
    await using opened = source;
    return opened.length;
  });
  if (field === 'completion') await expect(judged).rejects.toMatchObject({ line: 1, field });
  else await expect(judged).resolves.toBe(1);
});
