import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { MetricsLog } from '../runs/metrics.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { stopping } from '../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import type { OpenSuites, SuiteMetric } from './run-suites.ts';
import type { TrainingEvent } from './training-event.ts';

const folder = cachedFolder();
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  data = writeRowsFile(folder, tinyRows(10));
});

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  ...{ model: join(folder, 'model'), data: [data], output: join(folder, `run-${runs++}`) },
  ...{ lora: true, loraRank: 4, loraDropout: 0.2, samplePrompts: null },
  ...tinyRun,
  ...{ maxSteps: 4, evalSteps: 2, saveSteps: 2 },
  ...own,
});

/** Suites whose only number is how often they were measured. */
function counting() {
  const asked: string[] = [];
  const roles: unknown[] = [];
  let measured = 0;
  const openSuites: OpenSuites = async (suites, { role }) => {
    asked.push(...suites);
    roles.push(role);
    const metric = (value: number): SuiteMetric => ({
      ...{ value, interval: [0, 1], unit: 'share', better: 'higher' },
    });
    return {
      measure: async () => ({
        'sums/acc': metric(++measured / 10),
        'sums/brier': metric(Number.NaN),
      }),
    };
  };
  return { openSuites, asked, roles };
}

describe('--eval-suites', () => {
  it('are measured before, at evaluations and after, and change nothing', async () => {
    const own = optionsOf({ evalSuites: ['core', 'mine.yaml'] });
    const { openSuites, asked, roles } = counting();
    const events: TrainingEvent[] = [];
    const result = await alignPairs(own, {
      openSuites,
      onEvent: (event) => event.type !== 'notice' && events.push(event),
    });
    expect(asked).toEqual(['core', 'mine.yaml']);
    expect(roles[0]).not.toBe('reference');
    const told = events.flatMap((one) => (one.type === 'suites' ? [[one.step, one.metrics]] : []));
    expect(told).toEqual([
      [0, { 'suite/sums/acc': 0.1 }],
      [2, { 'suite/sums/acc': 0.2 }],
      [4, { 'suite/sums/acc': 0.3 }],
    ]);
    const rows = MetricsLog.read(join(own.output, 'metrics.jsonl'));
    expect(rows.flatMap((row) => row['suite/sums/acc'] ?? [])).toEqual([0.1, 0.2, 0.3]);
    const report = readFileSync(join(result.path, 'report.html'), 'utf8');
    expect(report).toContain('Suite: sums');

    const none = optionsOf();
    await alignPairs(none);
    const weights = (output: string): Buffer =>
      readFileSync(join(output, 'final/adapter_model.safetensors'));
    expect(weights(own.output).equals(weights(none.output))).toBe(true);
  });

  it('resume with a run, and may change then', async () => {
    const own = optionsOf({ evalSuites: ['core'], saveSteps: 1 });
    const first = counting();
    await alignPairs(own, { ...stopping(3), openSuites: first.openSuites });
    const second = counting();
    await alignPairs(
      { ...own, evalSuites: ['other'], resume: true },
      { openSuites: second.openSuites },
    );
    expect(second.asked).toEqual(['other']);
    const rows = MetricsLog.read(join(own.output, 'metrics.jsonl'));
    const steps = rows.flatMap((row) => ('suite/sums/acc' in row ? [row.step] : []));
    expect(steps).toEqual([0, 2, 4]);
  });

  it('that cannot be opened end the run before it starts; that fail later do not', async () => {
    await expect(alignPairs(optionsOf({ evalSuites: ['core'] }))).rejects.toThrow(/eval-suites/);
    const wrong: OpenSuites = async () => {
      throw new Error('no suite "cor"');
    };
    const refused = optionsOf({ evalSuites: ['cor'] });
    await expect(alignPairs(refused, { openSuites: wrong })).rejects.toThrow('no suite "cor"');
    const broken: OpenSuites = async () => ({
      measure: () => Promise.reject(new Error('broken')),
    });
    const notices: string[] = [];
    const { step } = await alignPairs(optionsOf({ evalSuites: ['core'] }), {
      openSuites: broken,
      onEvent: (event) => event.type === 'notice' && notices.push(event.text),
    });
    expect(step).toBe(4);
    expect(notices.filter((text) => /eval-suites.*step 0.*broken/.test(text))).toHaveLength(1);
  });
});
