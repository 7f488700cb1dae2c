import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import {
  tinyRows,
  tinyTemplate,
  writeRowsFile,
  writeTinyChatModel,
} from '../../testing/tiny-chat-model.ts';
import { tinyExamples, writeExamples } from '../../testing/tiny-examples.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { type FineTuneOptions, fineTune } from './run-sft.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-sft-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeExamples(folder, tinyExamples(10));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<FineTuneOptions> = {}): FineTuneOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  ...tinyRun,
  ...own,
});
const lora = { lora: true, loraRank: 4, loraDropout: 0.2 };

describe('a run that was stopped and resumed', () => {
  it.each([
    ['LoRA with dropout and noise', { ...lora, neftuneAlpha: 5 }],
    ['full, passes by tokens', { microBatchSize: undefined, microBatchTokens: 80 }],
  ])('matches the uninterrupted run, byte for byte: %s', async (_, own) => {
    const shape = {
      ...own,
      maxSteps: null,
      epochs: 3,
      evalData: [data],
      evalSteps: 2,
      saveSteps: 2,
    };
    const whole = optionsOf(shape);
    expect(await fineTune(whole)).toMatchObject({ step: 8, interrupted: false });
    const broken = optionsOf(shape);
    // Before the first step, between checkpoints, and at one.
    for (const [attempt, after] of [0, 3, 4].entries()) {
      const result = await fineTune({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
    }
    expect(existsSync(join(broken.output, 'report.html'))).toBe(false);
    const result = await fineTune({ ...broken, resume: true });
    expect(result).toMatchObject({ interrupted: false, step: 8 });
    expectSameRun(result.path, whole.output);
  });
});

it('learns the rows, as its report shows', async () => {
  const before = await liveMemory();
  const { path } = await fineTune(optionsOf({ maxSteps: 20, evalData: [data], lora: true }));
  expect(await liveMemory()).toEqual(before);
  const evaluations = metricsOf(path).filter(({ eval_loss }) => eval_loss !== undefined);
  expect(evaluations.map(({ step }) => step)).toEqual([0, 20]);
  const [first, last] = evaluations;
  expect(last!.eval_loss).toBeLessThan(0.8 * first!.eval_loss!);
  expect(last!.eval_perplexity).toBeCloseTo(Math.exp(last!.eval_loss!), 9);
  const report = readFileSync(join(path, 'report.html'), 'utf8');
  for (const label of ['Held-out loss', 'Held-out perplexity', 'Held-out token accuracy']) {
    expect(report).toContain(`<h3>${label}</h3>`);
  }
  expect(report).toMatch(/20 optimizer steps; held-out loss went from [\d.]+ to [\d.]+\./);
  expect(report).toContain('id="chart-perplexity"');
  expect(report).not.toMatch(/policy and reference are one/);
});

describe('rows that cannot be used', () => {
  it('because they are preferences are reported with advice', async () => {
    const pairs = writeRowsFile(mkdtempSync(inside('pairs-')), tinyRows(2));
    await expect(fineTune(optionsOf({ data: [pairs] }))).rejects.toThrow(
      /rows\.jsonl:1: expected an object with "messages".*rename "chosen" to "completion"/,
    );
  });

  it('because the template fails are reported with file, line and advice, or skipped', async () => {
    const file = inside('tools.jsonl');
    const messages = [
      { role: 'user', content: 'day' },
      { role: 'assistant', content: 'wo' },
    ];
    const fine = readFileSync(data, 'utf8');
    const tools = [{ type: 'function', function: { name: 'clock' } }];
    writeFileSync(file, `${fine}${JSON.stringify({ messages, tools })}\n`);
    const options = optionsOf({ data: [file], ...lora });
    await expect(fineTune(options)).rejects.toThrow(
      /tools\.jsonl:11: The row has "tools".*--chat-template/,
    );
    const notices: string[] = [];
    const skipping = optionsOf({ data: [file], ...lora, onBadRow: 'skip' });
    await fineTune(skipping, {
      onEvent: (event) => void (event.type === 'notice' && notices.push(event.text)),
    });
    expect(notices).toContainEqual(
      expect.stringMatching(/^1 of 11 rows of --data .*tools\.jsonl:11/),
    );
  });

  it('in part, since the template drops the reasoning, are reported', async () => {
    const forgetful = inside('forgetful');
    writeTinyChatModel(forgetful);
    writeFileSync(
      join(forgetful, 'chat_template.jinja'),
      tinyTemplate.replace('message.content', "message.content.split(';')[-1]"),
    );
    const file = inside('reasoning.jsonl');
    const messages = [
      { role: 'user', content: 'day' },
      { role: 'assistant', content: 'hello;wo' },
    ];
    writeFileSync(file, `${JSON.stringify({ messages })}\n`);
    const notices: string[] = [];
    await fineTune(
      optionsOf({
        model: forgetful,
        data: [file],
        ...lora,
        batchSize: 1,
        microBatchSize: 1,
        maxSteps: 1,
      }),
      {
        onEvent: (event) => void (event.type === 'notice' && notices.push(event.text)),
      },
    );
    expect(
      notices.filter((text) => / rows of --data: the chat template .*keel tokens/.test(text)),
    ).toEqual([expect.stringMatching(/^1 of 1 rows of --data: .*\(content\)/)]);
  });

  it('contradicting options are refused', async () => {
    const both = optionsOf({ assistantTurns: 'last', assistantOnlyLoss: false });
    await expect(fineTune(both)).rejects.toThrow(/assistantTurns: .*assistantOnlyLoss: false/s);
  });
});

it('is not resumed with other scoring', async () => {
  const options = optionsOf({ ...lora, saveSteps: 1 });
  await fineTune(options, stopping(1));
  await expect(fineTune({ ...options, resume: true, completionOnlyLoss: false })).rejects.toThrow(
    /completion_only_loss was true, now false/,
  );
});

it('has default learning rates for LoRA and for full fine-tuning', async () => {
  for (const [own, rate] of [
    [lora, 2e-4],
    [{}, 2e-5],
  ] as const) {
    const { learningRate: _, ...unset } = optionsOf({ ...own, scheduler: 'constant' });
    const { path } = await fineTune(unset);
    expect(metricsOf(path).at(-1)!.learning_rate).toBe(rate);
  }
});
