import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeEnvironment } from '../environment.ts';
import type { HeldOutBatches } from '../held-out-batches.ts';
import type { MetricsRow } from '../metrics.ts';
import { type MeasuredHeadline, writeRunReport } from './run-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-run-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'config.yaml'), 'model: tiny\n');

const environment = describeEnvironment({
  torch: '2.13.0',
  device: 'cpu',
  threads: 1,
  modelHashes: { tiny: 'a'.repeat(64) },
  dataHashes: { 'rows.jsonl': 'b'.repeat(64) },
  templatePrintsDate: false,
});
const headlines: MeasuredHeadline[] = [
  { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
];

function report(rows: readonly MetricsRow[], heldOutRows: number): string {
  const run = {
    path: folder,
    finalPath: join(folder, 'final'),
    metricsPath: join(folder, 'metrics.jsonl'),
    reportPath: join(folder, 'report.html'),
  };
  writeFileSync(run.metricsPath, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const options = { model: 'tiny' };
  const data = { training: ['rows.jsonl'], heldOut: heldOutRows > 0 ? ['held.jsonl'] : null };
  const watched = { health: { checked: [], findings: [] }, answers: [], best: null, batches: null };
  writeRunReport(run, {
    ...{ verb: 'sft', options, headlines, environment, heldOutRows, seconds: 65, data },
    ...watched,
  });
  return readFileSync(run.reportPath, 'utf8');
}

it('shows held-out numbers before and after, what ran, and every option', () => {
  const evaluations: MetricsRow[] = [
    { step: 0, eval_loss: 2 },
    { step: 1, loss: 1.9 },
    { step: 2, eval_loss: 1.75 },
    { step: 3, eval_loss: 1.5 },
  ];
  const page = report(evaluations, 7);
  expect(page).toContain('<h1>tiny: keel sft</h1>');
  expect(page).toContain('3 optimizer steps; held-out loss went from 2.00 to 1.50.');
  expect(page).toContain('7 held-out rows');
  expect(page).toContain('rows.jsonl (SHA-256 bbbbbbbbbbbb…)');
  expect(page).toContain('1m 05s');
  expect(page).toContain('model: tiny');
});

it('limits the interval of the change of a share to what a share can change by', () => {
  const run = {
    ...{ path: folder, finalPath: join(folder, 'final') },
    ...{ metricsPath: join(folder, 'metrics.jsonl'), reportPath: join(folder, 'report.html') },
  };
  writeFileSync(
    run.metricsPath,
    '{"step":0,"eval_accuracy":0.1}\n{"step":1,"eval_accuracy":0.9}\n',
  );
  const accuracy = {
    label: 'Accuracy',
    metric: 'eval_accuracy',
    unit: 'share',
    better: 'higher',
  } as const;
  const wide = { difference: () => [-2, 1.4] } as unknown as HeldOutBatches;
  const [found] = writeRunReport(run, {
    ...{ verb: 'reward', options: { model: 'tiny' }, headlines: [accuracy], environment },
    ...{ heldOutRows: 4, seconds: 1, data: { training: ['rows.jsonl'], heldOut: ['held.jsonl'] } },
    ...{ health: { checked: [], findings: [] }, answers: [], best: null, batches: wide },
  });
  expect(found!.difference).toEqual([-1, 1]);
});

it('says so if nothing was held out', () => {
  const page = report([{ step: 1, loss: 1.9 }], 0);
  expect(page).toMatch(/1 optimizer step\..*--eval-data/);
  expect(page).not.toContain('<article class="card">');
});
