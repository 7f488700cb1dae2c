import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PhaseClock, phase, randn, tidy } from '@keel/torch';
import { afterAll, expect, it } from 'vitest';
import { readTrace, type TraceEvent } from './fixtures/read-trace.ts';
import { StepProfiler, type WrittenProfile } from './step-profiler.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-profile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Four steps of random numbers, of which 2 and 3 are profiled. */
function profileSteps(
  name: string,
  draws: number,
  limits: { mostRecorded?: number; mostWritten?: number } = {},
): { written: WrittenProfile; at: number } {
  const clock = new PhaseClock();
  const path = join(folder, name);
  using profiler = new StepProfiler(path, { first: 2, last: 3 }, clock, limits);
  let found: WrittenProfile | null = null;
  let at = 0;
  clock.run(() => {
    for (let step = 11; step <= 14; step++) {
      profiler.beginStep(step);
      for (const part of ['forward', 'backward']) {
        phase(part, () =>
          tidy(() => {
            for (let i = 0; i < draws; i++) randn([8]);
          }),
        );
      }
      profiler.endStep(step);
      if (!profiler.due) continue;
      at = step;
      found = profiler.finish();
    }
  });
  expect(profiler.due).toBe(false);
  expect(profiler.finish()).toBeNull();
  return { written: found!, at };
}

it('writes a trace and a summary of the requested steps, and leaves no temporary files', () => {
  const { written, at } = profileSteps('whole.json', 3);
  expect(at).toBe(13);
  expect(written).toMatchObject({ path: join(folder, 'whole.json'), leftOut: 0 });
  expect(written.summary.steps).toEqual([12, 13]);
  const { traceEvents } = readTrace(written.path);
  const named = (name: string): TraceEvent[] => traceEvents.filter((event) => event.name === name);
  expect(named('aten::normal_')).toHaveLength(12);
  expect(named('forward')).toHaveLength(2);
  expect(named('forward')[0]).toMatchObject({ ph: 'X', cat: 'phase' });
  expect(named('step 12')[0]).toMatchObject({ cat: 'step' });
  expect(named('step 11').concat(named('step 14'))).toEqual([]);
  expect(traceEvents.some(({ ph }) => ph === 'C')).toBe(true);
  expect(JSON.parse(readFileSync(written.summaryPath, 'utf8'))).toEqual(written.summary);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

it('limits the recorded operators, but phases are complete', () => {
  const { written, at } = profileSteps('many.json', 50, { mostRecorded: 100 });
  expect(at).toBe(13);
  expect(written.summary.steps).toEqual([12, 13]);
  const calls = written.summary.operators.reduce((sum, one) => sum + one.calls, 0);
  expect(calls).toBe(100);
  expect(written.summary.missedOperators).toBe(4 * 50 * 3 - 100);
  const { traceEvents } = readTrace(written.path);
  expect(traceEvents.filter(({ cat }) => cat === 'operator')).toHaveLength(100);
  expect(traceEvents.filter(({ cat }) => cat === 'phase')).toHaveLength(4);
});

it('drops the shortest operators from the trace but counts them', () => {
  const { written } = profileSteps('short.json', 50, { mostWritten: 40 });
  const operators = readTrace(written.path).traceEvents.filter(({ cat }) => cat === 'operator');
  expect(operators.length).toBeLessThanOrEqual(40);
  expect(operators.length).toBeGreaterThan(0);
  const drawn = written.summary.operators.find(({ name }) => name === 'aten::normal_');
  expect(drawn?.calls).toBe(200);
  expect(written.leftOut).toBeGreaterThan(200);
});

it('a run that fails during profiling writes nothing, and another can be profiled', () => {
  const path = join(folder, 'failed.json');
  {
    using profiler = new StepProfiler(path, { first: 1, last: 1 }, new PhaseClock());
    profiler.beginStep(1);
  }
  expect(existsSync(path)).toBe(false);
  expect(profileSteps('after.json', 1).at).toBe(13);
});
