import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const lines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const pairs = [
  { prompt: 'Name a colour.', chosen: 'Answer: blue.', rejected: 'It might be blue.' },
  { prompt: 'Name a bird.', chosen: 'Answer: wren.', rejected: 'Answer: a small bird, the wren.' },
];

/** Writes rows and scores them; without a model, nothing is loaded from this cache. */
async function scoring(rows: readonly object[], reward: string, ...flags: string[]) {
  using folder = new TemporaryFolder();
  const data = folder.file('rows.jsonl');
  writeFileSync(data, lines(rows));
  writeFileSync(
    folder.file('polite.ts'),
    "export default ({ completion }) => (completion.includes('might') ? -2 : 0);\nexport const broken = ({ completion }) => completion.length > 20 ? Number.NaN : 1;\nexport const never = () => new Promise(() => {});\n",
  );
  writeFileSync(
    folder.file('reward.yaml'),
    `rewards:
  - {type: regex, name: format, pattern: '^Answer: \\w+\\.$'}
  - {type: length, unit: words, max: 3, weight: 0.5}
  - {type: function, name: polite, module: polite.ts, clip: [-1, 1]}
`,
  );
  const named = /^(?:regex|length|code|judge)/.test(reward) ? reward : folder.file(reward);
  const cache = folder.file('cache');
  const ended = await keel(['score', '--reward', named, '--data', data, ...flags], {
    env: { KEEL_CACHE: cache },
  });
  return { ...ended, loaded: existsSync(join(cache, 'models')), folder: folder.path };
}

test('a composition scores pairs, without a model', async () => {
  const { code, stdout, stderr, loaded } = await scoring(pairs, 'reward.yaml', '--json');
  expect(code, stderr).toBe(0);
  expect(jsonLines(stdout)).toEqual([
    {
      row: 0,
      reward_chosen: 1.5,
      reward_rejected: -1,
      aspects_chosen: {
        format: 1,
        'format:term': 1,
        'length.words': 2,
        length: 1,
        'length:term': 0.5,
        polite: 0,
        'polite:term': 0,
      },
      aspects_rejected: {
        format: 0,
        'format:term': 0,
        'length.words': 4,
        length: 0,
        'length:term': 0,
        polite: -2,
        'polite:term': -1,
      },
    },
    expect.objectContaining({ row: 1, reward_chosen: 1.5, reward_rejected: 0 }),
  ]);
  expect(loaded).toBe(false);
});

test('without --json it prints accuracy with its interval, means and spreads', async () => {
  const { code, stdout } = await scoring(pairs, 'length:-13');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {3}row {4}reward chosen {2}reward rejected {11}margin$/m);
  expect(stdout).toContain('reward of 4 answers: mean 0.500, standard deviation 0.577');
  expect(stdout).toContain('characters: mean');
  expect(stdout).toMatch(/higher reward in 100\.0% of 2 pairs \(95% interval 34\.2% to 100\.0%/);
});

test('rankings and completions', async () => {
  const ranking = { prompt: 'a', completions: ['b', 'bb', 'bbb'], ranking: [1, 2, 2] };
  const ranked = await scoring([ranking], 'regex:/^b$/', '--json');
  expect(jsonLines(ranked.stdout)).toEqual([{ row: 0, rewards: [1, 0, 0], aspects: [{}, {}, {}] }]);
  expect((await scoring([ranking], 'regex:/^b$/')).stdout).toContain('100.0% of 2 pairs');
  const single = await scoring([{ prompt: 'a', completion: 'b' }], 'regex:/b/', '--json');
  expect(jsonLines(single.stdout)).toEqual([{ row: 0, reward: 1, aspects: {} }]);
});

test('code is run against the tests of its row, and pass@k is reported', async () => {
  const right = 'def double(x): return 2 * x';
  const forged = 'import os\ndef double(x): os._exit(0)';
  const rows = [
    { prompt: 'Double.', completions: [right, forged, forged], tests: 'assert double(2) == 4' },
  ];
  const sandboxed = await scoring(rows, 'code');
  // Where the system cannot sandbox programs, it refuses; these programs are harmless.
  if (sandboxed.code !== 0) expect(sandboxed.stderr).toContain('shuts no program in');
  const { code, stdout, stderr } =
    sandboxed.code === 0 ? sandboxed : await scoring(rows, 'code', '--unsafe-code');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('1.000  0.000  0.000');
  expect(stdout).toContain('pass@1 of 1 problems: 33.3%');
  expect(stdout).toContain('pass@2 of 1 problems: 66.7%');
  expect(stdout).not.toContain('pass@5');
});

test('a failing reward names the row, and an unknown reward is a usage error', async () => {
  const failed = await scoring(pairs, 'polite.ts#broken');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('rows.jsonl:2: ');
  expect(failed.stderr).toContain('#broken: the score is NaN; return a finite number');
  // By default Node would end the process without a message.
  const never = await scoring(pairs, 'polite.ts#never');
  expect(never.code).toBe(1);
  expect(never.stderr).toMatch(/rows\.jsonl:1: .*#never: the promise it returned can never settle/);
  const late = await scoring(pairs, 'polite.ts#never', '--reward-timeout', '0.01');
  expect(late.stderr).toMatch(/rows\.jsonl:1: .*#never: no result after 0\.01 s/);
  const absent = await scoring(pairs, 'absent');
  expect(absent.code).toBe(2);
  expect(absent.stderr).toContain('no such file or folder');
});

test('a trained reward model', async () => {
  using folder = new TemporaryFolder();
  const run = folder.file('run');
  const train = join(goldenPath('trajectories/reward-bradley-terry'), 'train.jsonl');
  const machine = ['--precision', 'fp32', '--device', 'cpu'];
  const trained = await keel(
    [
      ...['reward', '--model', goldenPath('tiny-chat'), '--data', train, '--output', run],
      ...['--max-steps', '2', '--batch-size', '4', '--heads', '2', ...machine],
    ],
    { env: { KEEL_CACHE: folder.file('cache') } },
  );
  expect(trained.code, trained.stderr).toBe(0);
  const final = join(run, 'final');
  const { code, stdout, stderr } = await keel(
    ['score', '--reward', final, '--data', train, '--json', ...machine],
    { env: { KEEL_CACHE: folder.file('cache') } },
  );
  expect(code, stderr).toBe(0);
  const scores = jsonLines(stdout);
  expect(scores).toHaveLength(16);
  for (const { reward_chosen, aspects_chosen } of scores) {
    const { head_0, head_1, deviation } = aspects_chosen as Record<string, number>;
    expect(reward_chosen).toBeCloseTo((head_0! + head_1!) / 2, 5);
    expect(deviation).toBeGreaterThan(0);
  }
});
