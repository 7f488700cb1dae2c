// The tasks of test/golden/evaluation/lm-eval give what lm-evaluation-harness 0.4.13 gives.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entriesOf } from '../evaluating/entries.ts';
import { planEvaluation, runEvaluation } from '../evaluating/evaluate.ts';
import type { EvaluationOptions } from '../evaluating/evaluation.ts';
import { readLmEvalTasks } from './read-task.ts';

const golden = goldenPath('evaluation/lm-eval');

interface Expected {
  results: Record<string, number>;
  samples: {
    doc_id: number;
    filter: string;
    arguments: unknown[][];
    filtered_resps: unknown[];
    prompt_hash: string;
    doc_hash: string;
  }[];
}

const expected: Record<string, Expected> = JSON.parse(
  readFileSync(join(golden, 'expected.json'), 'utf8'),
);
const names = Object.keys(expected);

const folder = mkdtempSync(join(tmpdir(), 'keel-lm-eval-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (tasks: readonly string[], output: string): EvaluationOptions => ({
  ...{ entries: entriesOf([goldenPath('tiny-chat')], []), suites: [], tasks, gates: null },
  ...{ limit: null, output: join(folder, output), precision: 'fp32', device: 'cpu' },
  unsafeCode: false,
});

async function evaluated(tasks: readonly string[], output: string): Promise<string> {
  const own = options(tasks, output);
  await runEvaluation(own, await planEvaluation(own));
  const [name] = readdirSync(own.output).filter((one) => !one.includes('.'));
  return join(own.output, name!);
}

let files: string;
let results: Record<string, Record<string, number>>;
beforeAll(async () => {
  const task = (name: string): string => join(golden, `${name}.yaml`);
  files = await evaluated(['all', 'answers', 'rolling', 'last'].map(task), 'golden');
  const [file] = readdirSync(files).filter((one) => one.startsWith('results_'));
  ({ results } = JSON.parse(readFileSync(join(files, file!), 'utf8')));
});

const samplesOf = (name: string): Record<string, unknown>[] => {
  const [file] = readdirSync(files).filter((one) => one.startsWith(`samples_${name}_`));
  const lines = readFileSync(join(files, file!), 'utf8').trimEnd().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .sort((a, b) => Number(a.doc_id) - Number(b.doc_id) || (a.filter! < b.filter! ? -1 : 1));
};

/** Numbers of responses; Keel writes them as texts, as lm-eval's own files have them. */
const numbers = (value: unknown): unknown[] => [value].flat(4);

describe.each(names)('%s', (name) => {
  test('has the same prompts, choices and hashes', () => {
    const own = samplesOf(name);
    expected[name]!.samples.forEach((one, at) => {
      const lists = Object.values(own[at]!.arguments as Record<string, object>);
      expect(lists.map((list) => Object.values(list)[0])).toEqual(one.arguments.map(([a]) => a));
      expect(own[at]).toMatchObject({ filter: one.filter, prompt_hash: one.prompt_hash });
      if (name !== 'answers' && name !== 'rolling') {
        expect(lists.map((list) => Object.values(list))).toEqual(one.arguments);
      }
      expect(own[at]!.doc_hash).toBe(one.doc_hash);
    });
  });

  test('has the same responses', () => {
    const own = samplesOf(name);
    expect(own).toHaveLength(expected[name]!.samples.length);
    expected[name]!.samples.forEach((one, at) => {
      const found = numbers(own[at]!.filtered_resps);
      numbers(one.filtered_resps).forEach((value, place) => {
        if (typeof value === 'number') expect(Number(found[place])).toBeCloseTo(value, 3);
        else if (typeof value === 'boolean') expect(found[place]).toBe(value ? 'True' : 'False');
        else expect(found[place]).toBe(value);
      });
    });
  });

  test('has the same metrics', () => {
    for (const [key, value] of Object.entries(expected[name]!.results)) {
      const digits = name === 'rolling' || name === 'last' ? 3 : 6;
      expect(results[name]![key]! / (value || 1), key).toBeCloseTo(value === 0 ? 0 : 1, digits);
    }
  });
});

test('a group has the mean over the rows of its tasks', () => {
  const tasks = ['few', 'others', 'spaces'];
  const mean = tasks.reduce((sum, name) => sum + expected[name]!.results['acc,none']!, 0) / 3;
  expect(results.all!['acc,none']).toBeCloseTo(mean, 12);
});

describe('a task file', () => {
  const write = (text: string): string => {
    const path = join(folder, 'task.yaml');
    writeFileSync(path, text);
    return path;
  };
  const data = `dataset_path: json\ndataset_kwargs: {data_files: {test: ${join(golden, 'questions.jsonl')}}}\ntest_split: test\n`;

  test.each([
    ['process_docs: x\n', /:1:1: .*"process_docs"/],
    ['output_type: multiple_choise\n', /:1:1: .*multiple_choice/],
    ['fewshot_config: {sampler: random}\n', /:1:18: .*random.*first_n/s],
    ['metric_list: [{metric: bleu}]\n', /:1:16: .*bleu/],
    ['filter_list: [{name: a, filter: [{function: custom}]}]\n', /:1:35: .*custom/],
  ])('with %j is refused by name and place', (line, message) => {
    const path = write(`${line}task: t\n${data}`);
    expect(() => readLmEvalTasks(path)).toThrow(ConfigError);
    expect(() => readLmEvalTasks(path)).toThrow(message);
  });

  test('with a Python function is refused', () => {
    const path = write(`task: t\n${data}doc_to_text: !function utils.text\n`);
    expect(() => readLmEvalTasks(path)).toThrow(/:5:14: .*!function/);
  });

  test.each([
    ['output_type: multiple_choice\ndoc_to_text: a\ndoc_to_target: answer\n', /doc_to_choice/],
    [
      'output_type: multiple_choice\ndoc_to_text: a\ndoc_to_choice: choices\ndoc_to_target: "9"\n',
      /questions\.jsonl:1: .*"doc_to_target".*9/,
    ],
    ['doc_to_text: "{{missing}}"\ndoc_to_target: a\n', /questions\.jsonl:1: .*missing/],
    ['num_fewshot: 2\ndoc_to_text: a\ndoc_to_target: a\n', /num_fewshot.*first_n/],
    [
      'num_fewshot: 8\nfewshot_config: {sampler: first_n}\ndoc_to_text: a\ndoc_to_target: a\n',
      /num_fewshot: 8 .*7/,
    ],
  ])('whose rows do not fit is an error (%j)', async (lines, message) => {
    const path = write(`task: t\n${data}${lines}`);
    await expect(planEvaluation(options([path], 'bad'))).rejects.toThrow(message);
  });

  test('of a group that does not exist is an error', () => {
    const path = write('group: g\ntask: [nobody]\n');
    expect(() => readLmEvalTasks(path)).toThrow(/task\.yaml: task "nobody"/);
  });
});

// The questions are not part of Keel: KEEL_MMLU_DEV names their file, and KEEL_MC_GOLDEN what
// lm-eval found.
const questions = process.env.KEEL_MMLU_DEV ?? '';
const found = process.env.KEEL_MC_GOLDEN ?? '';

describe.skipIf(!existsSync(questions) || !existsSync(found))('the default model', () => {
  test('gives the choices of 273 questions the log-likelihoods of lm-eval', async () => {
    const given = JSON.parse(readFileSync(found, 'utf8'));
    const task = join(folder, 'mc.yaml');
    writeFileSync(task, given.task_yaml.replace('mmlu-dev.jsonl', questions));
    const own = {
      ...options([task], 'default'),
      entries: entriesOf(['SmolLM2-135M-Instruct'], []),
    };
    const evaluation = await runEvaluation(own, await planEvaluation(own));
    const [result] = evaluation!.entries[0]!.results;
    given.rows.forEach((row: Record<string, unknown>, at: number) => {
      const { values, filtered } = result!.outcomes[at]!;
      expect(values).toMatchObject({ acc: row.acc, acc_norm: row.acc_norm });
      const logps = (filtered.none as [number, boolean][]).map(([logp]) => logp);
      logps.forEach((logp, choice) => {
        expect(Math.abs(logp - (row.log_likelihoods as number[])[choice]!)).toBeLessThan(1e-3);
      });
    });
    for (const metric of ['acc', 'acc_norm']) {
      const { estimate } = result!.estimates.get(metric)!;
      expect(estimate.value).toBe(given[metric]);
      expect(estimate.standardError).toBeCloseTo(given[`${metric}_stderr`], 12);
    }
  }, 1_800_000);
});
