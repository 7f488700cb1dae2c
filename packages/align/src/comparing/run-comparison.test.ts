import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LanguageModel, loadAdapter, loadModel } from '@keel/model';
import { setThreads, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { beforeAll, expect, it, vi } from 'vitest';
import { packPairs } from '../batching/pack-pairs.ts';
import { type TokenisedPair, tokenisePair } from '../batching/tokenise-pair.ts';
import { resolveOptions } from '../config/resolve-options.ts';
import { ktoDefinition } from '../methods/answers/kto-options.ts';
import { runKto } from '../methods/answers/run-kto.ts';
import { runDpo } from '../methods/dpo/run-dpo.ts';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { scorePairs } from '../methods/pairs/score-pairs.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../testing/run-files.ts';
import {
  tinyRows,
  tinyTemplate,
  writeRowsFile,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import type { OpenSuites } from '../training/run-suites.ts';
import { type CompareOptions, compareDefinition } from './compare-options.ts';
import { readMeasured } from './measured.ts';
import { openComparison } from './open-comparison.ts';
import { comparisonResultsFile } from './results-file.ts';
import { type CompareHooks, type CompareResult, runComparison } from './run-comparison.ts';

const folder = cachedFolder();
const rows = tinyRows(12);
let data: string;
let made = 0;
setThreads(1);
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  data = writeRowsFile(folder, rows);
});

const optionsOf = (own: Partial<CompareOptions> = {}): CompareOptions =>
  compareDefinition.complete(
    compareDefinition.schema.parse({
      ...{ ...tinyRun, model: join(folder, 'model'), data: [data], evalData: [data] },
      ...{ output: join(folder, `run-${made++}`), lora: true, loraRank: 2, saveSteps: 1 },
      ...{ objectives: ['sigmoid', 'ipo'], evalPrompts: 4, maxNewTokens: 5, reward: 'length:-3' },
      ...own,
    }),
  );

const compare = async (options: CompareOptions, hooks: CompareHooks = {}): Promise<CompareResult> =>
  runComparison(await openComparison(options), hooks);

it('uses one date for all entries, also when resumed on another day', async () => {
  const chatTemplate = join(folder, 'dated.jinja');
  writeFileSync(chatTemplate, `{{ strftime_now('%d %B %Y') }}${tinyTemplate}`);
  const own = { chatTemplate, output: join(folder, 'dated'), maxSteps: 1, saveSteps: null };
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 10, 28, 12) });
  try {
    expect((await compare(optionsOf({ ...own, objectives: ['sigmoid'] }))).ran).toHaveLength(1);
    vi.setSystemTime(new Date(2027, 0, 5));
    const { ran, referenceAnswers } = await compare(optionsOf(own));
    expect(ran).toEqual(['ipo-b0.1-s42']);
    // All rows were read and measured on the first day.
    expect(referenceAnswers).toBe(0);
    const config = readFileSync(join(own.output, 'ipo-b0.1-s42', 'config.yaml'), 'utf8');
    expect(config).toContain('template_date: "2026-11-28T12:00:00"');
  } finally {
    vi.useRealTimers();
  }
});

it('trains every entry on the same rows and tokens, and computes the reference once for all of them', async () => {
  const before = await liveMemory();
  mkdirSync(join(folder, 'held-out'));
  const evalData = [writeRowsFile(join(folder, 'held-out'), tinyRows(6, 9))];
  const objectives = ['sigmoid', 'ipo', 'kto', 'simpo', 'orpo'];
  const options = optionsOf({ evalData, objectives });
  const { ran, results, referenceAnswers, interrupted } = await compare(options);
  expect(interrupted).toBeNull();
  expect(ran).toEqual([
    'sigmoid-b0.1-s42',
    'ipo-b0.1-s42',
    'kto-b0.1-s42',
    'simpo-b2-s42',
    'orpo-b0.1-s42',
  ]);
  expect(await liveMemory()).toEqual(before);
  const entries = results!.groups.flatMap((group) => group.entries);
  expect(new Set(entries.map(({ tokens }) => tokens)).size).toBe(1);
  expect(results!.sameBudget).toBe(true);
  for (const { entry } of entries) {
    const last = metricsOf(join(options.output, entry.name)).at(-1)!;
    expect(last).toMatchObject({ step: 3, num_tokens: entries[0]!.tokens });
    expect(last.epoch === undefined || entry.verb === 'kto' || last.epoch === 1).toBe(true);
  }
  // The 6 held-out pairs, the 12 that training used, and KTO's mismatched answers; three of these
  // texts are duplicates.
  expect(referenceAnswers).toBe(2 * 6 + 2 * 12 + 24 - 3);
  for (const name of ['report.html', 'results.json', 'table.md', 'plot.svg', 'compare.yaml']) {
    expect(existsSync(join(options.output, name)), name).toBe(true);
  }
  const json = JSON.parse(readFileSync(join(options.output, 'results.json'), 'utf8'));
  expect(comparisonResultsFile.parse(json)).toEqual(json);
  expect(json).toMatchObject({ steps: 3, same_budget: true, ordered_by: 'win_rate', missing: [] });
  expect(json.entries).toHaveLength(5);
  expect(json.reference.kl.value).toBe(0);
  expect(json.reference.win_rate.value).toBe(0.5);
});

it('an entry is the same run as its verb with the same options, bit for bit', async () => {
  const options = optionsOf({ objectives: ['sigmoid', 'kto', 'bco'], seeds: [1, 2] });
  const { ran } = await compare(options);
  expect(ran).toHaveLength(6);
  for (const name of ran) {
    const output = join(folder, `alone-${made++}`);
    const sources = {
      config: join(options.output, name, 'config.yaml'),
      flags: { output },
    };
    if (!name.startsWith('sigmoid')) await runKto(resolveOptions(ktoDefinition, sources));
    else await runDpo(resolveOptions(defineDpoOptions(), sources));
    expectSameRun(output, join(options.output, name));
  }
});

it('scores an answer with the reference once, whichever objectives and betas use it', async () => {
  using ask = vi.spyOn(LanguageModel.prototype, 'asSteps');
  const options = optionsOf({ objectives: ['sigmoid'] });
  const passes = async (own: Partial<CompareOptions>): Promise<number> => {
    ask.mockClear();
    await compare({ ...options, ...own });
    return ask.mock.calls.filter(([role]) => role === 'reference').length;
  };
  // The first step has two passes and computes its own scores; measuring needs those of sampled
  // answers.
  const [firstStep, sampled] = [2, 1];
  expect(await passes({})).toBeGreaterThan(firstStep + sampled);
  expect(await passes({ objectives: ['ipo'] })).toBe(firstStep + sampled);
  expect(await passes({ objectives: ['bco'] })).toBe(firstStep + sampled);
  // KTO's mismatched answers are new, and cached for the next entry with the same seed.
  expect(await passes({ objectives: ['kto'] })).toBe(firstStep + 3 * 2 + sampled);
  expect(await passes({ objectives: ['kto'], betas: [0.5] })).toBe(2 * firstStep + sampled);
  expect(await passes({ objectives: ['simpo'] })).toBe(sampled);
});

it('measures the scores of the model, and 0 without training', async () => {
  const options = optionsOf({ objectives: ['sigmoid'], learningRate: 1e-2, reward: null });
  await compare(options);
  const path = join(options.output, 'evaluation', 'sigmoid-b0.1-s42.json');
  const { key } = JSON.parse(readFileSync(path, 'utf8'));
  const { pairs, answers } = readMeasured(path, key)!;
  using model = await loadDisposable(options.model);
  loadAdapter(model.it.decoder, join(options.output, 'sigmoid-b0.1-s42', 'final'), 'own');
  const tokenised = rows.map(
    (row) => tokenisePair(row, model.it.tokenizer, { maxLength: null }) as TokenisedPair,
  );
  tokenised.forEach((pair, at) => {
    const score = (role: string): number[] =>
      tidy(() =>
        model.it.as(role, () => scorePairs(model.it, packPairs([pair]), false).sums).toArray(),
      );
    const [chosen, rejected] = score('own');
    const [referenceChosen, referenceRejected] = score('reference');
    expect(pairs.chosen[at]).toBeCloseTo(chosen!, 4);
    expect(pairs.rejected[at]).toBeCloseTo(rejected!, 4);
    expect(pairs.referenceChosen[at]).toBeCloseTo(referenceChosen!, 4);
    expect(pairs.referenceRejected[at]).toBeCloseTo(referenceRejected!, 4);
  });
  expect(
    pairs.chosen.some((value, at) => Math.abs(value - pairs.referenceChosen[at]!) > 0.01),
  ).toBe(true);
  for (const { k1, k3, score } of answers) {
    expect(k3).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(k1)).toBe(true);
    expect(score).toBeNull();
  }

  const still = optionsOf({ objectives: ['sigmoid'], learningRate: 1e-30 });
  const { results } = await compare(still);
  const { accuracy, margin, kl, kl_k1, win_rate, chosen } = results!.groups[0]!.numbers;
  expect([margin, kl, kl_k1, chosen].map((one) => one!.value)).toEqual([0, 0, 0, 0]);
  expect([accuracy, win_rate].map((one) => one!.value)).toEqual([0.5, 0.5]);
});

it('runs and measures only what is new', async () => {
  const options = optionsOf({ objectives: ['sigmoid'], seeds: [1] });
  expect((await compare(options)).ran).toEqual(['sigmoid-b0.1-s1']);
  const again = await compare(options);
  expect(again).toMatchObject({ ran: [], referenceAnswers: 0 });
  const more = await compare({ ...options, objectives: ['sigmoid', 'hinge'], seeds: [1, 2] });
  expect(more.ran).toEqual(['sigmoid-b0.1-s2', 'hinge-b0.1-s1', 'hinge-b0.1-s2']);
  const [first] = more.results!.groups;
  expect(first!.entries.map(({ entry }) => entry.seed)).toEqual([1, 2]);
  expect(first!.numbers.margin!.spread).toBeGreaterThan(0);
  // Other prompts are measured again; nothing is trained.
  const measured: (string | null)[] = [];
  const other = await compare(
    { ...options, evalPrompts: 3 },
    { onEvent: (event) => event.type === 'measured' && measured.push(event.entry?.name ?? null) },
  );
  expect(other.ran).toEqual([]);
  expect(measured).toEqual([null, 'sigmoid-b0.1-s1']);
});

it('resumes where it was stopped, bit for bit', async () => {
  const whole = optionsOf();
  const broken = { ...whole, output: join(folder, `run-${made++}`) };
  const all = await compare(whole);
  const stop = new AbortController();
  const first = await compare(broken, {
    signal: stop.signal,
    onEvent: (event) => {
      const { type } = event;
      if (type !== 'run' || event.entry.number !== 2) return;
      if (event.event.type === 'step' && event.event.step === 2) stop.abort();
    },
  });
  expect(first).toMatchObject({
    ...{ ran: ['sigmoid-b0.1-s42', 'ipo-b0.1-s42'], results: null },
    interrupted: { entry: 'ipo-b0.1-s42', step: 2 },
  });
  // Also while answers are sampled.
  const second = new AbortController();
  const next = await compare(broken, {
    signal: second.signal,
    onEvent: ({ type }) => type === 'measuring' && second.abort(),
  });
  expect(next).toMatchObject({
    ...{ ran: ['ipo-b0.1-s42'], results: null },
    interrupted: { entry: 'ipo-b0.1-s42', step: 3 },
  });
  const last = await compare(broken);
  expect(last.ran).toEqual([]);
  expectSameRun(join(broken.output, 'ipo-b0.1-s42'), join(whole.output, 'ipo-b0.1-s42'));
  expect(last.results!.groups.map(({ numbers }) => numbers)).toEqual(
    all.results!.groups.map(({ numbers }) => numbers),
  );
});

it('full fine-tuning is measured too', async () => {
  const before = await liveMemory();
  const options = optionsOf({ lora: false, objectives: ['sigmoid', 'simpo'], maxSteps: 2 });
  const { results } = await compare(options);
  expect(await liveMemory()).toEqual(before);
  expect(results!.groups).toHaveLength(2);
  for (const { numbers } of results!.groups) expect(numbers.kl!.value).toBeGreaterThan(0);
});

it('entries can start from an adapter, which is then the reference, and evaluate during training', async () => {
  const before = await liveMemory();
  const first = optionsOf({ objectives: ['sigmoid'] });
  await compare(first);
  const adapter = join(first.output, 'sigmoid-b0.1-s42', 'final');
  const options = optionsOf({ adapter, evalSteps: 2, objectives: ['ipo', 'kto'], maxSteps: 2 });
  const { results } = await compare(options);
  expect(await liveMemory()).toEqual(before);
  expect(results!.referenceNumbers.kl!.value).toBe(0);
  for (const { entries, numbers } of results!.groups) {
    const { measured, entry } = entries[0]!;
    expect(numbers.kl!.value).toBeGreaterThan(0);
    // The run's own evaluation, beta times the margin, uses the same pairs and the same reference.
    const last = metricsOf(join(options.output, entry.name)).findLast(
      (row) => row['eval_rewards/margins'] !== undefined,
    )!;
    expect(numbers.margin!.value * 0.1).toBeCloseTo(last['eval_rewards/margins']!, 4);
    expect(measured.pairs.rows).toHaveLength(12);
  }
});

it('an entry with a moving reference leaves no trace on the shared model', async () => {
  const before = await liveMemory();
  const output = join(folder, `run-${made++}`);
  const config = join(folder, 'moving.yaml');
  writeFileSync(
    config,
    `entries:
  - {objective: sigmoid, name: every-step, reference_sync_steps: 1}
  - {objective: sigmoid, name: every-other, reference_sync_steps: 2}
`,
  );
  const { ran } = await compare(optionsOf({ config, output, objectives: null }));
  expect(ran).toEqual(['every-step-b0.1-s42', 'every-other-b0.1-s42']);
  expect(await liveMemory()).toEqual(before);
  const moves = ran.map((name) => metricsOf(join(output, name)).at(-1)!['reference/moves']);
  expect(moves).toEqual([2, 1]);
});

it('reports every entry whose objective needs fields that the rows lack, and writes nothing', async () => {
  const options = optionsOf({ objectives: ['odpo', 'sigmoid', 'rebel'] });
  const message = await openComparison(options).catch((error) => error.message);
  expect(message).toMatch(/^entry odpo-b0.1-s42 .*rows\.jsonl:1: .*"score_chosen"/);
  expect(message).toContain('entry rebel-');
  expect(existsSync(options.output)).toBe(false);
});

it("reports rows' own betas that an entry cannot use before it trains, whatever --on-bad-row says", async () => {
  const lines = readFileSync(data, 'utf8').trim().split('\n');
  const path = join(folder, 'betas.jsonl');
  const withBetas = lines.map((line, at) =>
    JSON.stringify({ ...JSON.parse(line), strength: at === 1 ? -1 : 0.2 }),
  );
  writeFileSync(path, `${withBetas.join('\n')}\n`);
  const config = join(folder, 'betas.yaml');
  writeFileSync(
    config,
    'entries:\n' +
      '  - {name: rows, objective: sigmoid, beta_field: strength}\n' +
      '  - {name: typo, objective: sigmoid, beta_field: strenght}\n' +
      '  - {name: plain, objective: sigmoid}\n',
  );
  const options = optionsOf({ objectives: null, data: [path], onBadRow: 'skip', config });
  const message = await openComparison(options).catch((error) => error.message);
  expect(message).toMatch(/entry rows-\S+ .*betas\.jsonl:2: .*strength/);
  expect(message).toMatch(/entry typo-\S+ .*--beta-field strenght/);
  expect(message).not.toContain('entry plain');
});

it('refuses rows that no entry would train on as they are meant, also held-out ones', async () => {
  const lines = readFileSync(data, 'utf8').trim().split('\n');
  const path = join(folder, 'weighted.jsonl');
  const weighted = { ...JSON.parse(lines[1]!), weight: 0.5 };
  writeFileSync(path, `${[lines[0], JSON.stringify(weighted)].join('\n')}\n`);
  for (const own of [{ data: [path] }, { evalData: [path] }]) {
    const options = optionsOf(own);
    await expect(openComparison(options)).rejects.toThrow(/:2: .*"weight"/);
    expect(existsSync(options.output)).toBe(false);
  }
});

it('accepts a model as judge, and checks a reward before anything is loaded', async () => {
  expect(optionsOf({ judge: 'rater', reward: null })).toMatchObject({
    ...{ reward: 'judge:rater', judge: null },
  });
  expect(() => optionsOf({ judge: 'rater', reward: 'code' })).toThrow(/"judge".*--reward code/s);
  const options = optionsOf({ reward: 'nowhere.mjs', model: 'no-model' });
  await expect(compare(options)).rejects.toThrow(/there is no file .*nowhere\.mjs/);
  expect(existsSync(options.output)).toBe(false);
});

it('leaves a folder with other content alone', async () => {
  const output = mkdtempSync(join(folder, 'other-'));
  writeFileSync(join(output, 'notes.txt'), 'mine');
  await expect(compare(optionsOf({ output }))).rejects.toThrow(`${output}: is not empty`);
});

async function loadDisposable(path: string) {
  const it = await loadModel(path, { precision: 'fp32', device: 'cpu' });
  return { it, [Symbol.dispose]: () => it.dispose() };
}

it('names a held-out row that the chat template refuses, or skips it', async () => {
  const chatTemplate = join(folder, 'strict.jinja');
  const refusal = "{% if messages[0].content == 'x' %}{{ raise_exception('no x') }}{% endif %}";
  writeFileSync(chatTemplate, `${refusal}${tinyTemplate}`);
  const evalData = join(folder, 'strict.jsonl');
  const said = (content: string) => [{ role: 'assistant', content }];
  const pairs = ['x', 'wo', 'day'].map((content) => ({
    ...{ prompt: [{ role: 'user', content }], chosen: said('day'), rejected: said('wo') },
  }));
  writeFileSync(evalData, pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
  const own = { chatTemplate, evalData: [evalData], objectives: ['sigmoid'], maxSteps: 1 };
  await expect(compare(optionsOf({ ...own, saveSteps: null }))).rejects.toThrow(
    /strict\.jsonl:1: .*no x/,
  );
  const { ran } = await compare(optionsOf({ ...own, saveSteps: null, onBadRow: 'skip' }));
  expect(ran).toHaveLength(1);
});

it('measures suites once on the reference and once on each entry, as columns of the table', async () => {
  const suite = join(folder, 'suite.yaml');
  writeFileSync(suite, 'tasks: []\n');
  const options = optionsOf({ evalSuites: ['core', suite] });
  const asked: unknown[] = [];
  const openSuites: OpenSuites = async (suites, { role }) => {
    asked.push([suites, role]);
    const value = role === 'reference' ? 0.25 : 0.75;
    const metric = { interval: [0, 1], unit: 'share', better: 'higher' } as const;
    return {
      measure: async () => ({
        'sums/acc': { value, ...metric },
        'sums/odd': { value: Number.NaN, ...metric },
      }),
    };
  };
  await expect(compare(options)).rejects.toThrow('openSuites');
  expect(existsSync(join(options.output, 'sigmoid-b0.1-s42'))).toBe(false);
  const parts = new Set<string>();
  const hooks: CompareHooks = {
    openSuites,
    onEvent: (event) => event.type === 'measuring' && parts.add(event.part),
  };
  const { results } = await compare(options, hooks);
  expect([...parts]).toEqual(['pairs', 'answers', 'suites']);
  const names = ['core', suite];
  expect(asked).toEqual([
    [names, 'reference'],
    [names, 'measured'],
    [names, 'measured'],
  ]);
  expect(results!.referenceSuites).toMatchObject({ 'sums/acc': { value: 0.25 } });
  expect(results!.referenceSuites).not.toHaveProperty('sums/odd');
  const table = readFileSync(join(options.output, 'table.md'), 'utf8').split('\n');
  expect(table[0]).toContain('| sums/acc |');
  expect(table.find((line) => line.startsWith('| ipo'))).toContain('75% [0%, 100%]');
  expect(table.find((line) => line.startsWith('| reference'))).toContain('25% [0%, 100%]');
  const json = JSON.parse(readFileSync(join(options.output, 'results.json'), 'utf8'));
  expect(json.entries[0].suites['sums/acc']).toMatchObject({ value: 0.75, unit: 'share' });
  expect(json.reference.suites['sums/acc'].value).toBe(0.25);
  // Measured already, unless a suite's file changed.
  await compare(options, hooks);
  expect(asked).toHaveLength(3);
  writeFileSync(suite, 'tasks: [] # changed\n');
  expect((await compare(options, hooks)).ran).toEqual([]);
  expect(asked).toHaveLength(6);
});
