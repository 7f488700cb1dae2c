import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type { RecipeStage } from './recipe.ts';
import { withSharedDate } from './shared-date.ts';
import { writeStageRecords } from './stage-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-date-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.useRealTimers());

const stage = (templateDate: string | null) => ({ options: { templateDate } }) as RecipeStage;
const datesOf = (output: string, overwrite = false): (string | null)[] => {
  const plan = { output, stages: [stage(null), stage('2020-01-01')] };
  return withSharedDate(plan, overwrite).stages.map(
    ({ options }) => options.templateDate as string,
  );
};

test('stages without a date share the date of the first call', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 10, 28, 12) });
  expect(datesOf(join(folder, 'none'))).toEqual(['2026-11-28T12:00:00', '2020-01-01']);
  writeStageRecords(folder, {}, '2026-11-28T12:00:00');
  vi.setSystemTime(new Date(2027, 0, 5));
  expect(datesOf(folder)).toEqual(['2026-11-28T12:00:00', '2020-01-01']);
  expect(datesOf(folder, true)[0]).toBe('2027-01-05T00:00:00');
});
