// Run folders for tests, with the files that a training writes.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A temporary folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'keel-watch-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files by their paths below a folder: texts, or objects as JSON. */
export function writeFiles(folder: string, files: Readonly<Record<string, unknown>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : `${JSON.stringify(content)}\n`);
  }
  return folder;
}

/** Rows as the lines of a .jsonl file. */
export const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The files of a training that ran 4 of 8 steps. */
export function trainingFiles(
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    'config.yaml':
      '# keel dpo, every option with its value\n\n# Model and data\nmodel: small\ndata:\n  - rows.jsonl\n\n# Optimisation\nlearning_rate: 0.0001\nmax_steps: 8\n',
    'environment.json': {
      time: '2026-01-02T03:04:05.000Z',
      git: { commit: '0123456789', dirty: true },
      modelHashes: { small: 'aa' },
      dataHashes: { 'rows.jsonl': 'bb' },
    },
    'run.json': {
      ...{ version: 1, verb: 'dpo', folder: process.cwd(), resume: ['dpo', '--resume'] },
      ...{ started: '2026-01-02T03:04:05.000Z', started_step: 0, total_steps: 8 },
      ended: { how: 'interrupted', time: '2026-01-02T03:05:00.000Z' },
    },
    'metrics.jsonl': lines([
      { step: 0, eval_loss: 0.7 },
      { step: 1, loss: 0.7, 'time/forward': 2, 'time/backward': 1 },
      { step: 2, loss: 0.6, 'time/forward': 2, 'time/backward': 1 },
      { step: 3, loss: 'NaN', 'time/forward': 2, 'time/backward': 1 },
      { step: 4, loss: 0.5, 'rewards/accuracies': 0.75, 'time/forward': 4, 'time/backward': 3 },
    ]),
    ...more,
  };
}
