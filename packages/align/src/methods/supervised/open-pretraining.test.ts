import { expect, test } from 'vitest';
import type { TrainingOptions } from '../../config/training-options.ts';
import { temporaryFiles } from '../../data/fixtures/temporary-files.ts';
import { openPretrainingRows } from './open-pretraining.ts';

const { write } = temporaryFiles();

test('--columns renames the columns of --pretraining-data that it has', async () => {
  const path = write('story.jsonl', '{"body": "Once upon a time."}\n');
  const reading = { onBadRow: 'fail', columns: ['text=body', 'prompt=question'], wrapChat: false };
  const options = { ...reading, pretrainingData: [path] } as unknown as TrainingOptions;
  await using rows = await openPretrainingRows(options, () => {});
  expect(await rows!.read(0)).toMatchObject({ text: 'Once upon a time.' });
});
