import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { RunRecorder, readRunRecord, recorded } from './run-record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-record-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

test('the record of a run as it goes', () => {
  const recorder = new RunRecorder(folder, { verb: 'dpo', resume: ['dpo', '--resume'] });
  expect(readRunRecord(folder)).toMatchObject({
    ...{ verb: 'dpo', folder: process.cwd(), resume: ['dpo', '--resume'] },
    ...{ started_step: 0, total_steps: null, ended: null },
  });
  recorder.planned(4, 10);
  expect(readRunRecord(folder)).toMatchObject({ started_step: 4, total_steps: 10, ended: null });
  recorder.ended('interrupted');
  expect(readRunRecord(folder)!.ended).toMatchObject({ how: 'interrupted' });
  recorder.failed(new Error('no space left'));
  expect(readRunRecord(folder)!.ended).toMatchObject({ how: 'failed', message: 'no space left' });
});

test('the record of a recipe', async () => {
  const command = { verb: 'align', words: ['align', 'a.yaml'] };
  const work = async (interrupted: string | null) => {
    await recorded(folder, command, async () => ({ interrupted }));
    return readRunRecord(folder)!.ended!.how;
  };
  expect(await work(null)).toBe('finished');
  expect(await work('sft')).toBe('interrupted');
  const failing = recorded(folder, undefined, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  expect(readRunRecord(folder)).toMatchObject({ resume: null, ended: { how: 'failed' } });
});

test('a file that Keel did not write is no record', () => {
  expect(readRunRecord(folder)).toBeNull();
  for (const text of ['{', '[]', '{"version":2}']) {
    writeFileSync(join(folder, 'run.json'), text);
    expect(readRunRecord(folder)).toBeNull();
  }
});
