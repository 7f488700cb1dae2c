// A profiled run: the content of its trace, and that nothing else about the run changes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backwardFlops, forwardFlops, loadModel, modelSizes, totalFlops } from '@keel/model';
import { beforeAll, expect, it } from 'vitest';
import { packPairs } from '../batching/pack-pairs.ts';
import { tokenisePair } from '../batching/tokenise-pair.ts';
import { keepPeak } from '../machine/kept-peak.ts';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { readTrace, type TraceEvent } from '../profiling/fixtures/read-trace.ts';
import type { ProfileSummary } from '../profiling/profile-summary.ts';
import { MetricsLog, type MetricsRow } from '../runs/metrics.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import type { TrainingEvent } from './training-event.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
const rows = tinyRows(8);
let usual: Omit<AlignPairsOptions, 'output'>;
beforeAll(() => {
  usual = {
    model: writeTinyChatModel(inside('model')),
    data: [writeRowsFile(folder, rows)],
    precision: 'fp32',
    lora: true,
    loraDropout: 0.2,
    batchSize: 4,
    microBatchSize: 2,
    maxSteps: 4,
    threads: 1,
    samplePrompts: null,
  };
});

const stepRows = (run: string): MetricsRow[] =>
  MetricsLog.read(join(run, 'metrics.jsonl')).filter(({ loss }) => loss !== undefined);

it('writes a trace with operators, phases and memory; the run stays the same', async () => {
  const events: TrainingEvent['type'][] = [];
  const onEvent = ({ type }: { type: TrainingEvent['type'] | 'notice' }): void => {
    if (type !== 'notice' && type !== 'answers') events.push(type);
  };
  const options = { ...usual, evalData: usual.data, evalSteps: 2, saveSteps: 2 };
  await alignPairs({ ...options, output: inside('plain') });
  const profile = { profile: '', profileSteps: '2-3' };
  await alignPairs({ ...options, ...profile, output: inside('profiled') }, { onEvent });
  expectSameRun(inside('profiled'), inside('plain'));
  expect(events).toEqual([
    ...['plan', 'data', 'start', 'evaluation', 'step', 'step', 'evaluation', 'checkpoint'],
    ...['step', 'profile', 'step', 'evaluation', 'checkpoint'],
  ]);

  const trace = readTrace(inside('profiled/profile.json'));
  const named = (name: string): TraceEvent[] =>
    trace.traceEvents.filter((event) => event.name === name);
  expect(named('step 2')).toHaveLength(1);
  expect(named('step 3')).toHaveLength(1);
  expect(named('step 1').concat(named('step 4'))).toEqual([]);
  // Two passes per step; the evaluation and the checkpoint after step 2 are included.
  expect(named('backward')).toHaveLength(4);
  expect(named('optimiser')).toHaveLength(2);
  expect(named('evaluation')).toHaveLength(1);
  expect(named('checkpoint')).toHaveLength(1);
  for (const name of [
    'keel::lora_linears',
    'keel::segment_attention',
    'keel::SegmentAttention backward',
  ])
    expect(named(name)[0]?.args?.inputs).toMatch(/^\[\d+, \d+(, \d+)?\] float32/);
  expect(trace.traceEvents.some(({ ph, args }) => ph === 'C' && args?.MB !== undefined)).toBe(true);

  // Every operator of a step is in one of its phases.
  const within = ({ ts, dur }: TraceEvent, other: TraceEvent): boolean =>
    ts >= other.ts && ts + dur <= other.ts + other.dur;
  const steps = trace.traceEvents.filter(({ cat }) => cat === 'step');
  const phases = trace.traceEvents.filter(({ cat }) => cat === 'phase');
  const ofSteps = trace.traceEvents.filter(
    (event) => event.cat === 'operator' && steps.some((step) => within(event, step)),
  );
  expect(ofSteps.length).toBeGreaterThan(100);
  const lost = ofSteps.filter((event) => !phases.some((phase) => within(event, phase)));
  expect(lost.map(({ name }) => name)).toEqual([]);

  const summary: ProfileSummary = JSON.parse(
    readFileSync(inside('profiled/profile-summary.json'), 'utf8'),
  );
  expect(summary.steps).toEqual([2, 3]);
  expect(summary.phases.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'data',
      'reference/log-probs',
      'forward/log-probs',
      'evaluation/forward',
    ]),
  );
  const outer = summary.phases.filter(({ name }) => !name.includes('/'));
  expect(outer.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
});

it('profiles the last step of a run that is shorter than the requested steps', async () => {
  const found: number[][] = [];
  await alignPairs(
    {
      ...usual,
      output: inside('short'),
      maxSteps: 2,
      profile: inside('own/trace.json'),
      profileSteps: '5-9',
    },
    { onEvent: (event) => event.type === 'profile' && found.push(event.summary.steps) },
  );
  expect(found).toEqual([[2]]);
  expect(JSON.parse(readFileSync(inside('own/trace-summary.json'), 'utf8')).steps).toEqual([2]);
});

it('logs for each step its phases in seconds, and its share of the peak', async () => {
  keepPeak({ flops: 1e12, size: 512 }, 'fp32');
  const options = {
    ...usual,
    shuffle: false,
    maxSteps: 1,
    microBatchSize: 4,
    output: inside('mfu'),
  };
  await alignPairs(options);
  const [row] = stepRows(inside('mfu'));
  const times = Object.entries(row!).filter(([name]) => name.startsWith('time/'));
  expect(times.map(([name]) => name.slice(5))).toEqual([
    ...['data', 'reference', 'forward', 'backward', 'numbers', 'optimiser'],
  ]);
  const seconds = row!.num_tokens! / row!.tokens_per_second!;
  expect(times.reduce((sum, [, time]) => sum + time, 0)).toBeLessThanOrEqual(seconds);

  const model = await loadModel(usual.model!, { precision: 'fp32' });
  const pairs = rows
    .slice(0, 4)
    .map((one) => tokenisePair(one, model.tokenizer, { maxLength: 1024 })!);
  const { packed, scored } = packPairs(pairs);
  const forward = forwardFlops(modelSizes(model.decoder), packed, scored.rows.length);
  model.dispose();
  // LoRA: the reference's forward pass, the policy's, and its backward with frozen weights.
  const flops =
    2 * totalFlops(forward) + totalFlops(backwardFlops(forward, { trainedWeights: false }));
  expect(row!.mfu! * seconds * 1e12).toBeCloseTo(flops, -1);
});
