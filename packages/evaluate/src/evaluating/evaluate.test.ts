import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { exactJson, PythonFloat } from '@keel/model/exact-json';
import { beforeAll, describe, expect, test } from 'vitest';
import { cachedFolder } from '../../../align/src/testing/cached-folder.ts';
import { writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';
import { evaluationFile } from '../result-files/evaluation-file.ts';
import { type EvaluationEntry, entriesOf } from './entries.ts';
import { planEvaluation, runEvaluation } from './evaluate.ts';
import type { Evaluation, EvaluationOptions } from './evaluation.ts';

const folder = cachedFolder();
const models = { a: join(folder, 'a'), b: join(folder, 'b') };
beforeAll(() => {
  writeTinyChatModel(models.a, 1);
  writeTinyChatModel(models.b, 2);
});

const questions = Array.from({ length: 6 }, (_, at) => ({
  question: `Which of these is it, ${'well '.repeat(at)}after ${at}?`,
  choices: ['one', 'another one', `number ${at}`, 'none'],
  answer: at % 4,
  part: at < 3 ? 'first' : 'second',
  text: `A text of its own, with ${at} in it.`,
}));

const suite = (data: string): string => `
tasks:
  - {name: choice, type: multiple-choice, data: ${data}, prompt: "Q: {{question}}", group: part}
  - {name: words, type: generation, data: ${data}, prompt: question, check: "regex:/e/",
     max_new_tokens: 5, samples: 2, temperature: 1}
  - {name: texts, type: perplexity, data: ${data}}
`;

let number = 0;

async function evaluate(
  rows: readonly object[],
  { text = suite, ...options }: Partial<EvaluationOptions> & { text?: typeof suite } = {},
  signal?: AbortSignal,
): Promise<{ evaluation: Evaluation | null; output: string }> {
  number += 1;
  const data = `rows-${number}.jsonl`;
  writeFileSync(join(folder, data), rows.map((row) => `${exactJson(row)}\n`).join(''));
  const path = join(folder, `suite-${number}.yaml`);
  writeFileSync(path, text(data));
  const output = options.output ?? join(folder, `output-${number}`);
  const entries: readonly EvaluationEntry[] = entriesOf([models.a], []);
  const all: EvaluationOptions = {
    ...{ entries, suites: [path], tasks: [], gates: null, limit: null },
    ...{ precision: 'fp32', device: 'cpu', unsafeCode: false },
    ...options,
    output,
  };
  const plan = await planEvaluation(all);
  const hooks = signal === undefined ? {} : { signal };
  return { evaluation: await runEvaluation(all, plan, hooks), output };
}

const outcomesOf = ({ evaluation }: { evaluation: Evaluation | null }, task: string, entry = 0) =>
  evaluation!.entries[entry]!.results.find((one) => one.task.name === task)!.outcomes;

const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('no row changes with the rows around it or their order, to the last bit', async () => {
  const whole = await evaluate(questions);
  const alone = await evaluate(questions.slice(0, 1));
  const reversed = await evaluate(questions.toReversed());
  for (const task of ['choice', 'texts']) {
    const all = outcomesOf(whole, task);
    expect(outcomesOf(alone, task)).toEqual(all.slice(0, 1));
    expect(outcomesOf(reversed, task).toReversed()).toEqual(all);
  }
  // What is drawn depends on the row's number, which the order changes.
  expect(outcomesOf(alone, 'words')).toEqual(outcomesOf(whole, 'words').slice(0, 1));
});

test('an interrupted evaluation resumes, and finished rows are not asked again', async () => {
  const controller = new AbortController();
  const output = join(folder, 'resumed');
  const plan = { output };
  const stopped = await evaluate(questions, plan, AbortSignal.abort());
  expect(stopped.evaluation).toBeNull();
  const first = await evaluate(questions, { ...plan, limit: 2 }, controller.signal);
  const items = join(output, nameOf(output), 'items_choice.jsonl');
  const before = linesOf(items);
  expect(before).toHaveLength(1 + 2);
  const all = await evaluate(questions, plan);
  expect(outcomesOf(all, 'choice').slice(0, 2)).toEqual(outcomesOf(first, 'choice'));
  const after = linesOf(items);
  expect(after.slice(0, 3)).toEqual(before);
  expect(after).toHaveLength(1 + questions.length);
  await evaluate(questions, plan);
  expect(linesOf(items)).toEqual(after);
  // Of another model nothing is reused, although the folder is the same.
  const other = { name: all.evaluation!.entries[0]!.entry.name, model: models.b, adapter: null };
  const changed = await evaluate(questions, { ...plan, entries: [other] });
  expect(outcomesOf(changed, 'choice')).not.toEqual(outcomesOf(all, 'choice'));
});

const nameOf = (output: string): string =>
  readdirSync(output, { withFileTypes: true }).find((one) => one.isDirectory())!.name;

test('results and samples have the form of lm-eval', async () => {
  const { output } = await evaluate(questions);
  const own = join(output, nameOf(output));
  const files = readdirSync(own);
  const results = JSON.parse(
    readFileSync(join(own, files.find((one) => one.startsWith('results_'))!), 'utf8'),
  );
  expect(results.results.choice['acc,none']).toBeGreaterThanOrEqual(0);
  expect(results.results.choice['acc_stderr,none']).toBeGreaterThanOrEqual(0);
  expect(results.results.texts['word_perplexity_stderr,none']).toBe('N/A');
  expect(results['n-samples'].choice).toEqual({ original: 6, effective: 6 });
  const [sample] = linesOf(join(own, files.find((one) => one.startsWith('samples_choice_'))!));
  expect(sample).toMatchObject({
    ...{ doc_id: 0, doc: questions[0], target: '0', filter: 'none' },
    arguments: { gen_args_0: { arg_0: `Q: ${questions[0]!.question}`, arg_1: ' one' } },
  });
  expect((sample!.resps as unknown[][][])[0]![0]![1]).toMatch(/^(True|False)$/);
  const summary = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'));
  expect(() => evaluationFile.parse(summary)).not.toThrow();
  expect(Object.keys(summary.entries[0].tasks.choice.groups)).toEqual(['first', 'second']);
  expect(existsSync(join(output, 'report.html'))).toBe(true);
});

describe('two models', () => {
  const both = (): EvaluationEntry[] => entriesOf([models.a, models.b], []);

  test('are compared on the same rows', async () => {
    const { evaluation } = await evaluate(questions, { entries: both() });
    const [first, second] = evaluation!.entries as [
      Evaluation['entries'][0],
      Evaluation['entries'][0],
    ];
    expect(first.differences).toEqual([]);
    const found = second.differences.find(({ metric }) => metric.name === 'acc')!;
    const value = (at: number): number =>
      evaluation!.entries[at]!.results[0]!.estimates.get('acc')!.estimate.value;
    expect(found.value).toBeCloseTo(value(1) - value(0), 12);
    expect(found.interval[0]).toBeLessThanOrEqual(found.value);
    expect(found.interval[1]).toBeGreaterThanOrEqual(found.value);
    const { gained, lost } = found.changes!;
    expect((gained - lost) / found.count).toBeCloseTo(found.value, 12);
  });

  test('pass gates or fail them, by how much', async () => {
    const gates = join(folder, 'gates.yaml');
    writeFileSync(
      gates,
      'gates:\n' +
        '  - {metric: choice/acc, at_least: 0}\n' +
        '  - {metric: choice/acc, at_least: 1.5}\n' +
        '  - {metric: choice/acc, no_worse_than: 1}\n' +
        '  - {metric: texts/token_perplexity, better_by: 1000000}\n',
    );
    const { evaluation } = await evaluate(questions, { entries: both(), gates });
    const found = evaluation!.gates;
    expect(found.map(({ passed }) => passed)).toEqual([true, false, true, false]);
    const [, floor] = found;
    expect(floor!.short_by).toBeCloseTo(1.5 - floor!.measured!, 12);
    expect(new Set(found.map(({ entry }) => entry))).toEqual(new Set([models.b]));
  });

  test.each([
    ['{metric: choice/ac, at_least: 1}', /:2:6: metric: .*"choice\/ac".*"choice\/acc"/],
    ['{metric: choice/acc}', /:2:5: .*at_least.*none/],
    ['{metric: choice/acc, at_least: 1, at_most: 2}', /:2:5: .*at_least and at_most/],
    ['{metric: choice/acc, at_least: 1, entry: nobody}', /:2:39: entry: .*"nobody"/],
  ])('the gate %s is an error', async (gate, message) => {
    const gates = join(folder, 'wrong.yaml');
    writeFileSync(gates, `gates:\n  - ${gate}\n`);
    const found = evaluate(questions, { entries: both(), gates });
    await expect(found).rejects.toThrow(ConfigError);
    await expect(found).rejects.toThrow(message);
  });

  test('a gate against a baseline needs one', async () => {
    const gates = join(folder, 'alone.yaml');
    writeFileSync(gates, 'gates:\n  - {metric: choice/acc, no_worse_than: 0.1}\n');
    await expect(evaluate(questions, { gates })).rejects.toThrow(/:2:26: no_worse_than/);
  });
});

describe('bad rows', () => {
  const choice = (data: string): string =>
    `tasks:\n  - {name: c, type: multiple-choice, data: ${data}, prompt: question}\n`;

  test.each([
    ['an answer that is no choice', { ...questions[0], answer: 4 }, { field: 'answer', line: 2 }],
    ['one choice', { ...questions[0], choices: ['a'] }, { field: 'choices', line: 2 }],
    ['an empty choice', { ...questions[0], choices: ['a', ''] }, { field: 'choices[1]', line: 2 }],
    ['no answer', { ...questions[0], answer: undefined }, { field: 'answer', line: 2 }],
  ])('%s has its place', async (_, row, place) => {
    const found = evaluate([questions[1]!, row], { text: choice });
    await expect(found).rejects.toMatchObject({ name: 'DataError', ...place });
  });

  test('an empty file is an error', async () => {
    await expect(evaluate([], { text: choice })).rejects.toMatchObject({ name: 'DataError' });
  });

  test('a column that no row has is an error', async () => {
    const text = (data: string): string =>
      `tasks:\n  - {name: c, type: multiple-choice, data: ${data}, prompt: questio}\n`;
    await expect(evaluate(questions, { text })).rejects.toThrow(
      /:2:5: prompt.*"questio".*"question"/,
    );
  });

  test('a prompt longer than the model is cut from the left and counted', async () => {
    const long = { ...questions[0], question: `${'very '.repeat(1500)} long?` };
    const { evaluation } = await evaluate([questions[1]!, long], { text: choice });
    const [result] = evaluation!.entries[0]!.results;
    expect(result).toMatchObject({ truncated: 1, skipped: 0 });
  });

  test('a choice longer than the model is skipped and counted', async () => {
    const long = { ...questions[0], choices: ['very '.repeat(1500), 'b'], answer: 1 };
    const { evaluation } = await evaluate([questions[1]!, long], { text: choice });
    const [result] = evaluation!.entries[0]!.results;
    expect(result).toMatchObject({ truncated: 0, skipped: 1 });
    expect(result!.estimates.get('acc')!.estimate.count).toBe(1);
  });

  test('preferences with a prompt or an answer longer than the model are counted', async () => {
    const text = (data: string): string =>
      `tasks:\n  - {name: p, type: preference-accuracy, data: ${data}, by: likelihood}\n`;
    const pair = { prompt: 'why?', chosen: 'because', rejected: 'no' };
    const words = 'very '.repeat(1500);
    const rows = [pair, { ...pair, prompt: words }, { ...pair, chosen: words }];
    const { evaluation } = await evaluate(rows, { text });
    const [result] = evaluation!.entries[0]!.results;
    expect(result).toMatchObject({ truncated: 1, skipped: 1 });
    expect(result!.estimates.get('accuracy')!.estimate.count).toBe(2);
  });

  test('a chat longer than the model is skipped and counted', async () => {
    const text = (data: string): string =>
      `tasks:\n  - {name: c, type: generation, data: ${data}, prompt: question, check: "regex:/a/", max_new_tokens: 2}\n`;
    const long = { ...questions[0], question: `${'very '.repeat(1500)} long?` };
    const { evaluation } = await evaluate([questions[1]!, long], { text });
    const [result] = evaluation!.entries[0]!.results;
    expect(result).toMatchObject({ truncated: 0, skipped: 1 });
    expect(result!.estimates.get('score')!.estimate.count).toBe(1);
  });
});

test('whole floats and integers of any size are right answers, schemas and groups', async () => {
  const big = 12345678901234567890n;
  const text = (data: string): string => `
tasks:
  - {name: one, type: generation, data: ${data}, prompt: question, answer: right, check: number,
     group: part, max_new_tokens: 2}
  - {name: several, type: generation, data: ${data}, prompt: question, answer: all, check: includes,
     max_new_tokens: 2}
  - {name: json, type: generation, data: ${data}, prompt: question, check: json, max_new_tokens: 2}
`;
  const rows = [
    { question: 'one?', right: big, all: [big, 'a'], schema: { const: big }, part: 1 },
    {
      question: 'two?',
      right: new PythonFloat(4),
      all: ['b'],
      schema: { minimum: new PythonFloat(2) },
      part: new PythonFloat(2),
    },
  ];
  const found = await evaluate(rows, { text });
  expect(outcomesOf(found, 'one').map(({ target, group }) => [target, group])).toEqual([
    [`${big}`, '1'],
    ['4', '2'],
  ]);
  expect(outcomesOf(found, 'several')[0]!.target).toBe(`[${big},"a"]`);
  expect(outcomesOf(found, 'json').map(({ values }) => values.score)).toEqual([0, 0]);
});

test('quantities that only later rows have are metrics', async () => {
  const text = (data: string): string =>
    `tasks:\n  - {name: refusals, type: generation, data: ${data}, prompt: question, check: refusal, max_new_tokens: 2}\n`;
  const rows = ['safe', 'safe', 'unsafe'].map((label, at) => ({ question: `${at}?`, label }));
  const { evaluation } = await evaluate(rows, { text });
  const names = evaluation!.entries[0]!.results[0]!.task.metrics.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['over_refusal', 'refusal']));
});
