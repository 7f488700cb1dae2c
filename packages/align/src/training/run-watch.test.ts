import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { fineTune } from '../methods/supervised/run-sft.ts';
import { AnswersLog } from '../runs/answers-log.ts';
import { MetricsLog } from '../runs/metrics.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { stopping } from '../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import type { RunHooks } from './run-training.ts';
import type { TrainingEvent } from './training-event.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeRowsFile(folder, tinyRows(10));
});

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`) },
  ...{ lora: true, loraRank: 4, loraDropout: 0.2, sampleTokens: 6 },
  ...tinyRun,
  ...own,
});

async function run(options: AlignPairsOptions, hooks: RunHooks = {}) {
  const events: TrainingEvent[] = [];
  const result = await alignPairs(options, {
    ...hooks,
    onEvent(event) {
      if (event.type !== 'notice') events.push(event);
      hooks.onEvent?.(event);
    },
  });
  return { result, events };
}

const write = (name: string, rows: readonly object[]): string => {
  const path = inside(`${name}.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};
const answersOf = (path: string) => AnswersLog.read(join(path, 'answers.jsonl'));
const textOf = (path: string, name: string): string => readFileSync(join(path, name), 'utf8');

describe('sample prompts', () => {
  it('are answered before, at evaluations and after, and change nothing', async () => {
    const own = { maxSteps: 4, evalSteps: 2, saveSteps: 2 };
    const sampled = optionsOf({ ...own, samplePrompts: 3 });
    const { events } = await run(sampled);
    const found = answersOf(sampled.output);
    expect(found.map(({ step }) => step)).toEqual([0, 0, 0, 2, 2, 2, 4, 4, 4]);
    expect(new Set(found.map(({ prompt }) => JSON.stringify(prompt))).size).toBe(3);
    expect(found.every(({ tokens }) => tokens <= 6)).toBe(true);
    expect(events.filter(({ type }) => type === 'answers')).toHaveLength(3);
    const none = optionsOf({ ...own, samplePrompts: null });
    await run(none);
    expect(answersOf(none.output)).toEqual([]);
    expectSameRun(sampled.output, none.output);
  });

  it('are not answered again by a resumed run, whose files are the same', async () => {
    const own = { maxSteps: 4, evalSteps: 2, saveSteps: 1, evalData: [data], samplePrompts: 2 };
    const whole = optionsOf(own);
    await run(whole);
    const broken = optionsOf(own);
    await run(broken, stopping(3));
    const { events } = await run({ ...broken, resume: true });
    expect(events.flatMap((one) => (one.type === 'answers' ? [one.step] : []))).toEqual([4]);
    expectSameRun(broken.output, whole.output);
    for (const name of ['answers.jsonl', 'health.json', 'held-out-batches.json']) {
      expect(textOf(broken.output, name), name).toBe(textOf(whole.output, name));
    }
  });

  it('come from a file, one per line or row', async () => {
    writeFileSync(inside('asked.txt'), 'first question\n\nsecond question\n');
    const lines = optionsOf({ maxSteps: 1, samplePrompts: inside('asked.txt') });
    await run(lines);
    expect(
      answersOf(lines.output)
        .map(({ prompt }) => prompt)
        .slice(0, 2),
    ).toEqual([
      [{ role: 'user', content: 'first question' }],
      [{ role: 'user', content: 'second question' }],
    ]);
    const missing = inside('missing.txt');
    const wrong = optionsOf({ maxSteps: 1, samplePrompts: missing });
    await expect(run(wrong)).rejects.toThrow(missing);
    expect(existsSync(wrong.output)).toBe(false);
    writeFileSync(inside('empty.txt'), '\n');
    await expect(run(optionsOf({ samplePrompts: inside('empty.txt') }))).rejects.toThrow(
      /sample-?prompts.*empty\.txt/i,
    );
  });

  it('of chats and texts end before the answer', async () => {
    const turns = ['red', 'green', 'blue'].map((content) => ({
      messages: [
        { role: 'user', content },
        { role: 'assistant', content: `${content} it is` },
      ],
    }));
    const chats = write('chats', turns);
    const { evalSteps: _, ...own } = optionsOf({ maxSteps: 1, samplePrompts: 2 });
    await fineTune({ ...own, data: [chats] });
    expect(answersOf(own.output)[0]!.prompt).toEqual([{ role: 'user', content: 'red' }]);
  });
});

describe('health', () => {
  it('is reported once, written and shown, and a resumed run does not report it again', async () => {
    const own = { maxSteps: 8, saveSteps: 2, learningRate: 1e-12, samplePrompts: null };
    const whole = optionsOf(own);
    const { result, events } = await run(whole);
    const told = events.flatMap((one) => (one.type === 'health' ? [one.finding] : []));
    expect(told).toMatchObject([{ code: 'nothing-learnt', severity: 'warning', step: 8 }]);
    expect(result.health!.findings).toEqual(told);
    const written = JSON.parse(textOf(whole.output, 'health.json'));
    expect(written).toEqual(result.health);
    const page = textOf(whole.output, 'report.html');
    expect(page).toContain('Warning: nothing-learnt');
    const broken = optionsOf(own);
    await run(broken, stopping(5));
    await run({ ...broken, resume: true });
    expect(JSON.parse(textOf(broken.output, 'health.json'))).toEqual(written);
  });
});

describe('the best evaluation', () => {
  const own = { maxSteps: 6, evalSteps: 1, evalData: [] as string[], samplePrompts: null };
  const losses = (path: string): { step: number; loss: number }[] =>
    MetricsLog.read(join(path, 'metrics.jsonl')).flatMap(({ step, eval_loss: loss }) =>
      loss === undefined || step === 0 ? [] : [{ step, loss }],
    );
  const finalOf = (path: string): Buffer =>
    readFileSync(join(path, 'final', 'adapter_model.safetensors'));
  /** Training on the opposite of the held-out rows makes the held-out loss rise. */
  let opposite: string;
  beforeAll(() => {
    const rows = tinyRows(10).map((row) => {
      const { prompt, chosen, rejected } = row;
      return { prompt, chosen: rejected, rejected: chosen };
    });
    opposite = write('opposite', rows);
  });

  it('gives the result, whose weights are those of its step', async () => {
    const best = optionsOf({ ...own, evalData: [opposite], bestMetric: 'eval_loss', saveSteps: 2 });
    const { result } = await run(best);
    const found = losses(best.output);
    const lowest = found.toSorted((a, b) => a.loss - b.loss)[0]!;
    expect(lowest.step).toBeLessThan(6);
    expect(result).toMatchObject({
      step: 6,
      best: { step: lowest.step, metric: 'eval_loss', value: lowest.loss },
    });
    const short = optionsOf({ ...own, evalData: [opposite], saveSteps: lowest.step });
    await run(short, stopping(lowest.step));
    const checkpoint = join(short.output, 'checkpoints', `step-${lowest.step}`);
    expect(
      finalOf(best.output).equals(readFileSync(join(checkpoint, 'adapter_model.safetensors'))),
    ).toBe(true);
    expect(readdirSync(join(best.output, 'best'))).toEqual([`step-${lowest.step}`]);
    expect(textOf(best.output, 'report.html')).toContain(`after step ${lowest.step}`);
  });

  it('stops early when evaluations do not improve, and so does a resumed run', async () => {
    const stops = {
      ...{ ...own, evalData: [opposite], bestMetric: 'loss', earlyStoppingPatience: 2 },
      saveSteps: 1,
    };
    const whole = optionsOf(stops);
    const { result } = await run(whole);
    expect(result).toMatchObject({ interrupted: false, step: 3, best: { step: 1 } });
    const broken = optionsOf(stops);
    await run(broken, stopping(2));
    const resumed = await run({ ...broken, resume: true });
    expect(resumed.result).toMatchObject({ interrupted: false, step: 3, best: { step: 1 } });
    expectSameRun(broken.output, whole.output);
    const again = await run({ ...broken, resume: true });
    expect(again.result).toMatchObject({ step: 3, best: { step: 1 } });
    expect(finalOf(broken.output).equals(finalOf(whole.output))).toBe(true);
  });

  it('needs evaluations, a metric that they have and a known direction', async () => {
    const asked = (changes: Partial<AlignPairsOptions>) =>
      run(optionsOf({ ...own, evalData: [data], ...changes }));
    await expect(asked({ bestMetric: 'eval_loss', evalData: null })).rejects.toThrow(
      /bestMetric.*evalData/,
    );
    await expect(asked({ bestMetric: 'eval_loss', evalSteps: null })).rejects.toThrow(
      /bestMetric.*evalSteps/,
    );
    await expect(asked({ earlyStoppingPatience: 2 })).rejects.toThrow(
      /earlyStoppingPatience.*bestMetric/,
    );
    await expect(asked({ bestMetric: 'loss', earlyStoppingThreshold: 0.1 })).rejects.toThrow(
      /earlyStoppingThreshold.*earlyStoppingPatience/,
    );
    await expect(asked({ bestMetric: 'eval_grade' })).rejects.toThrow(/best-?metric-?goal/i);
    await expect(
      asked({ bestMetric: 'eval_accuracies', bestMetricGoal: 'higher' }),
    ).rejects.toThrow(/eval_accuracies.*eval_rewards\/accuracies/s);
  });
});
