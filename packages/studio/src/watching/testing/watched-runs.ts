// A folder with a run of each kind, for tests of what is shown.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TensorBoardWriter } from '@keel/align/internal';
import type { ComparisonFile, EvaluationFile } from '@keel/evaluate/results';
import { lines, trainingFiles, writeFiles } from './run-folders.ts';

/** A text that would run as a script if a page took it for HTML. */
export const attack =
  '<img src=x onerror="window.attacked=true"><script>window.attacked=true</script>';
/** The same as a name of a folder, which has no slash. */
export const attackName = '<img src=x onerror="window.attacked=true">';

/** Rows of a run with a reward: a spike at step 30, and a loss that is not finite at step 40. */
const rows = Array.from({ length: 60 }, (_, at) => ({
  step: at + 1,
  reward: Number((at / 60).toFixed(4)),
  'objective/kl': Number((at / 6).toFixed(4)),
  'completions/mean_length': 20 + at,
  loss: at === 39 ? 'NaN' : at === 29 ? 9 : 1,
  [`${attack}`]: at,
  'time/forward': 2,
}));

const sample = (at: number) => ({
  ...{ step: 1 + Math.floor(at / 30), row: at % 30, reward: Number(((at % 97) / 97).toFixed(3)) },
  prompt: [{ role: 'user', content: `Question ${at % 30}${at === 7 ? attack : ''}` }],
  completion:
    at === 7 ? attack : `Answer ${at} says ${at < 30 ? 'the beginning' : 'something else'}.`,
  ...{ kl: at / 100, ended: at % 5 > 0, tokens: 10 + (at % 40) },
});

const health = {
  checked: [{ code: 'reward-gamed', looksAt: 'a reward that rises without the gold reward' }],
  findings: [
    {
      ...{ code: 'reward-gamed', severity: 'serious', step: 50 },
      what: `the held-out reward rose and the gold reward did not ${attack}`,
      evidence: { length: 0.71 },
      advice: 'Read the answers.',
    },
  ],
};

const answer = (step: number, prompt: string, completion: string) => ({
  ...{ step, prompt, completion, tokens: 5, ended: true },
});

const config = (rate: number) =>
  `# keel grpo, every option\n\n# Model and data\nmodel: small\ndata:\n  - rows.jsonl\nreward: model:reward\n\n# Optimisation\nlearning_rate: ${rate}\nmax_steps: 80\n`;

const record = (folder: string, how: 'finished' | 'interrupted' | 'failed') => ({
  ...{ version: 1, verb: 'grpo', folder, resume: ['grpo', '--config', 'a.yaml', '--resume'] },
  ...{ started: '2026-01-02T03:04:05.000Z', started_step: 0, total_steps: 80 },
  ended: { how, time: '2026-01-02T03:05:00.000Z', message: `broken ${attack}` },
});

/** How many samples the run `grpo` has. */
export const SAMPLES = 1500;

const metric = {
  ...{ value: 0.25, interval: [0.2, 0.3] as const, standard_error: 0.1 },
  ...{ count: 20, higher_is_better: true },
};
const evaluation: EvaluationFile = {
  ...{ suites: ['core'], task_files: [], limit: null, seconds: 1, baseline: null, passed: false },
  entries: [
    {
      ...{ name: attack, model: 'small', adapter: null, differences: [] },
      tasks: {
        arithmetic: {
          ...{ type: 'generation', description: '', rows: 20, skipped: 0, truncated: 0 },
          metrics: { score: metric },
        },
      },
    },
  ],
  gates: [
    {
      ...{ metric: 'arithmetic/score', at_least: 0.5, confidence: 0.95, entry: 'base' },
      ...{ passed: false, measured: 0.25, bound: 0.25, short_by: 0.25 },
    },
  ],
};

const share = (value: number, low: number, high: number) => ({
  ...{ value, count: 40, interval: [low, high] as const },
});
const orders = {
  pairs: 40,
  once: 0,
  agree: share(0.4, 0.3, 0.5),
  first_wins: share(0.8, 0.7, 0.9),
};
const judged: ComparisonFile = {
  ...{ judge: 'a judge', model_a: 'base', model_b: attack, pairs: 40, judged: 40, prompts: 40 },
  ...{ win_rate: share(0.62, 0.5, 0.73), wins: 24, losses: 15, ties: 1, orders, check: null },
  length_controlled: { value: 0.55, interval: [0.4, 0.7], why: null },
  longer_wins: share(0.7, 0.6, 0.8),
  lengths: { a: { characters: 100, words: 20 }, b: { characters: 140, words: 28 } },
  ...{ failures: [], incomplete: 0, rules: [], categories: [] },
  flagged: { flags: [], rows: 0, win_rate_without: null },
  usage: { prompt_tokens: 0, answer_tokens: 0, cost: 0 },
  findings: [{ code: 'cannot-tell', severity: 'serious', text: `It guesses ${attack}` }],
};

/** Writes the runs into a folder, which is the working folder of all of them, too. */
export function writeRuns(folder: string): void {
  writeFiles(folder, { 'rows.jsonl': '' });
  writeFiles(join(folder, 'grpo'), {
    ...trainingFiles({ 'config.yaml': config(0.1), 'health.json': health }),
    'run.json': record(folder, 'interrupted'),
    'metrics.jsonl': lines([
      { step: 0, eval_reward: 0.1 },
      ...rows,
      { step: 60, eval_reward: 0.9 },
    ]),
    'samples.jsonl': lines(Array.from({ length: SAMPLES }, (_, at) => sample(at))),
    'answers.jsonl': lines([
      ...[answer(0, 'Who?', 'Nobody at all.'), answer(0, attack, attack)],
      ...[answer(60, 'Who?', 'Somebody at all.'), answer(60, attack, 'fine')],
    ]),
    'checkpoints/step-40/a': '',
    'report.html': `<!doctype html><html><head><title>a</title></head><body><h1>The report</h1><script>document.body.dataset.ran = "yes"; try { parent.document.title = "taken" } catch {}</script></body></html>`,
  });
  writeFiles(join(folder, 'grpo-other'), {
    ...trainingFiles({ 'config.yaml': config(0.2) }),
    'run.json': record(folder, 'finished'),
    'metrics.jsonl': lines(rows.slice(0, 20).map((row) => ({ ...row, reward: 0.5 }))),
  });
  writeFiles(join(folder, 'group', attackName), {
    ...trainingFiles({ 'run.json': record(folder, 'failed') }),
  });
  const stage = (from: string, passed?: boolean) => ({
    identity: {
      verb: 'sft',
      options: {},
      inputs: { model: [{ name: from, sha256: 'ab' }] },
      code: '',
    },
    ...{ began: '', seconds: 1 },
    result: {
      ...{ sha256: 'cd', step: 4, ended: '', headlines: [] },
      ...(passed !== undefined && { verdict: { passed, reasons: ['accuracy is 0.4, below 0.5'] } }),
    },
  });
  writeFiles(join(folder, 'recipe'), {
    'stages.json': {
      version: 1,
      stages: { sft: stage('small'), gate: stage('stages.sft', false) },
    },
    'recipe.yaml': 'stages:\n  sft: {}\n  gate: {}\n',
    'report.html':
      '<!doctype html><html><head></head><body><a href="sft/report.html">sft</a></body></html>',
  });
  writeFiles(join(folder, 'recipe/sft'), {
    ...trainingFiles(),
    'report.html': '<!doctype html><html><head></head><body><h1>Of the stage</h1></body></html>',
  });
  writeFiles(join(folder, 'evaluated'), { 'report.html': '', 'summary.json': evaluation });
  writeFiles(join(folder, 'judged'), {
    'judging.json': { mode: 'comparison', judge: 'a judge', identity: '', rows: 40 },
    'summary.json': judged,
    'report.html': '',
  });
  const events = join(folder, 'trl/runs/Nov30_host');
  mkdirSync(events, { recursive: true });
  using writer = new TensorBoardWriter(events, { now: () => 1_700_000_000_000 });
  writer.text(0, 'args/text_summary', '{"learning_rate": 1e-5}');
  for (let step = 1; step < 9; step++) writer.metrics({ step, loss: 1 / step });
}
