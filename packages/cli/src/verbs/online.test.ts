import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { interruptAndResume, tinyChat, train } from '../testing/short-runs.ts';

/** A short run on tiny-chat with its output and its cache in `folder`. */
function online(
  folder: TemporaryFolder,
  verb: string,
  args: readonly string[],
  calling: Calling = {},
) {
  const prompts = folder.file('prompts.jsonl');
  const rows = ['hello', 'who are you', 'what is a bird', 'tell me more'].map((content) => ({
    prompt: [{ role: 'user', content }],
  }));
  writeFileSync(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return train(verb, folder, ['--data', prompts, ...args], calling);
}

const short = [
  ...['--model', tinyChat, '--reward', 'length:-20', '--precision', 'fp32'],
  ...['--batch-size', '2', '--max-new-tokens', '8', '--max-steps', '2'],
];

describe('the verbs that sample', () => {
  test.each([
    ['ppo', ['--num-iterations', '2'], ['ppo/mean_value', 'loss/value_avg', 'objective/kl']],
    ['grpo', ['--num-generations', '3'], ['frac_reward_zero_std', 'val/ratio']],
    ['rloo', ['--num-generations', '2'], ['frac_reward_zero_std', 'objective/kl']],
    ['reinforce', ['--baseline', 'batch'], ['objective/kl']],
    ['remax', [], ['objective/kl']],
    ['online-dpo', ['--loss', 'ipo'], ['objective/kl', 'frac_reward_zero_std']],
    [
      'online-dpo',
      ['--loss', 'rebel', '--rebel-eta', '2'],
      ['objective/kl', 'frac_reward_zero_std'],
    ],
    ['online-dpo', ['--reference-sync-steps', '1'], ['objective/kl', 'reference/moves']],
    ['online-dpo', ['--min-score-gap', '1'], ['objective/kl', 'pairs/below_gap']],
    [
      'd2po',
      [
        '--loss',
        'exo',
        '--gold-share',
        '0.5',
        '--discriminator-warmup',
        '0',
        '--num-generations',
        '3',
      ],
      [
        'objective/kl',
        'labels/gold',
        'labels/gold_calls_total',
        'labels/silver',
        'discriminator/score',
      ],
    ],
    ['raft', ['--num-generations', '3'], ['kept/answers', 'kept/prompts_left_out', 'kept/reward']],
  ])('keel %s --json writes one object per line and nothing else', async (verb, own, names) => {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await online(folder, verb, [
      ...short,
      ...own,
      ...['--eval-data', folder.file('prompts.jsonl'), '--json'],
    ]);
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    expect(plan).toMatchObject({ type: 'plan', verb, reward: { spec: 'length:-20' } });
    expect(events.map(({ type }) => type)).toEqual([
      ...['data', 'start', 'answers', 'evaluation', 'step', 'step'],
      ...['answers', 'evaluation', 'checkpoint', 'final'],
    ]);
    const step = events.find(({ type }) => type === 'step');
    const usual = ['loss', 'reward', 'eos_rate', 'completions/mean_length', 'time/rollout'];
    for (const name of [...usual, ...names]) {
      expect(step![name], name).toEqual(expect.any(Number));
    }
    expect(events.findLast(({ type }) => type === 'evaluation')!.eval_reward).toEqual(
      expect.any(Number),
    );
    const final = folder.file('run/final');
    expect(events.at(-1)).toMatchObject({
      chat: `npx keel chat --model ${tinyChat} --adapter ${final}`,
    });
    for (const file of ['report.html', 'samples.jsonl', 'final/adapter_model.safetensors']) {
      expect(existsSync(folder.file(`run/${file}`)), file).toBe(true);
    }
  });

  test('without a terminal it writes plain lines with reward, KL and length', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout } = await online(folder, 'rloo', [
      ...short,
      ...['--eval-data', folder.file('prompts.jsonl')],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step 1\/2 {2}loss \S+ {2}reward \d\.\d{3} {2}KL 0\.000 {2}length \d/m);
    expect(stdout).toMatch(
      /^held-out rows after step 2: {2}reward \d\.\d{3} {2}KL \S+ {2}length \d/m,
    );
  });

  test('--show-samples shows the best and the worst answers of each batch, and not with --json', async () => {
    using folder = new TemporaryFolder();
    const args = [...short, '--num-generations', '2', '--num-iterations', '1', '--show-samples'];
    const { code, stdout, stderr } = await online(folder, 'ppo', [...args, '1']);
    expect(code, stderr).toBe(0);
    for (const step of [1, 2]) {
      expect(stdout).toMatch(
        new RegExp(
          `^step ${step}: the best 1 and the worst 1 of 4 answers\nbest   reward \\S+  KL \\S+  prompt: .*  answer: .*\nworst  reward`,
          'm',
        ),
      );
    }
    const json = await online(folder, 'ppo', [...args, '--json', '--overwrite']);
    expect(json.code, json.stderr).toBe(0);
    const types = jsonLines(json.stdout).map(({ type }) => type);
    expect(types.filter((type) => type !== 'answers')).toEqual([
      ...['plan', 'data', 'start', 'step', 'step', 'checkpoint', 'final'],
    ]);
  });

  test('--pretraining-data mixes the likelihood of text into the steps of PPO', async () => {
    using folder = new TemporaryFolder();
    const text = folder.file('text.jsonl');
    writeFileSync(
      text,
      '{"text": "a bird is a bird"}\n{"prompt": "hello", "completion": "world"}\n',
    );
    const args = [...short, '--json', '--pretraining-data', text];
    const mixed = ['--pretraining-coefficient', '0.5', '--pretraining-batch-size', '2'];
    const { code, stdout, stderr } = await online(folder, 'ppo', [...args, ...mixed]);
    expect(code, stderr).toBe(0);
    const step = jsonLines(stdout).find(({ type }) => type === 'step')!;
    const parts = ['loss/policy_avg', 'loss/value_avg', 'loss/pretraining_avg'];
    const [policy, value, own] = parts.map((name) => step[name] as number);
    expect(own).toBeGreaterThan(0);
    expect(step.loss).toBeCloseTo(policy! + 0.1 * value! + 0.5 * own!, 10);
    const config = parse(readFileSync(folder.file('run/config.yaml'), 'utf8'));
    expect(config).toMatchObject({ pretraining_data: [text], pretraining_coefficient: 0.5 });
    writeFileSync(text, '{"text": 5}\n');
    const bad = await online(folder, 'ppo', [...args, '--overwrite']);
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain(`${text}:1: field "text"`);
  });

  test('--min-new-tokens is the length of every answer', async () => {
    using folder = new TemporaryFolder();
    const args = [...short, '--min-new-tokens', '8', '--json'];
    const { code, stdout, stderr } = await online(folder, 'grpo', args);
    expect(code, stderr).toBe(0);
    const step = jsonLines(stdout).find(({ type }) => type === 'step')!;
    expect(step['completions/min_length']).toBe(8);
    const wrong = await online(folder, 'grpo', [...short, '--min-new-tokens', '9']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/--min-new-tokens: .*--max-new-tokens \(8\), found 9/);
  });

  test('SIGINT between two steps on a batch writes a checkpoint, and the run resumes', async () => {
    const config = await interruptAndResume(
      'ppo',
      [...short, '--num-iterations', '3'],
      (folder, args, calling) => online(folder, 'ppo', args, calling),
    );
    expect(config).toMatchObject({ num_iterations: 3, lora: true });
  });

  test.each([
    ['throws', "throw new Error('no idea')", /prompts\.jsonl:\d, answer ".*reward\.mjs: no idea/],
    // Nobody awaits it: by default it would end the process.
    ['throws in a timer', "setImmediate(() => { throw new Error('no idea') })", /no idea/],
  ])('a reward that %s ends the run with a checkpoint and the command that resumes it', async (_, body, told) => {
    using folder = new TemporaryFolder();
    const reward = folder.file('reward.mjs');
    writeFileSync(
      reward,
      `let calls = 0;\nexport default ({ text }) => { if (process.env.FAILS && ++calls === 9) { ${body}; }\n return text.length; };\n`,
    );
    const args = [...short.slice(0, 2), '--reward', reward, ...short.slice(4)];
    const more = ['--num-generations', '2', '--max-steps', '4'];
    const failed = await online(folder, 'grpo', [...args, ...more], { env: { FAILS: '1' } });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(told);
    const command = `Resume with:  npx keel grpo --config ${folder.file('run/config.yaml')} --resume`;
    expect(failed.stderr).toContain(command);
    const [checkpoint] = readdirSync(folder.file('run/checkpoints'));
    const resumed = await keel(
      ['grpo', '--config', folder.file('run/config.yaml'), '--resume', '--json'],
      { env: { KEEL_CACHE: folder.file('cache') } },
    );
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(jsonLines(resumed.stdout).find(({ type }) => type === 'start')).toMatchObject({
      step: Number(checkpoint!.replace('step-', '')),
    });
  });

  test('missing or impossible options are usage errors, and names of TRL are explained', async () => {
    using folder = new TemporaryFolder();
    const ask = async (verb: string, ...args: string[]) => {
      const { code, stderr } = await online(folder, verb, args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await ask('ppo')).toMatch(/--reward \(in YAML reward\) is required/);
    expect(await ask('grpo', '--reward', 'length:-9', '--num-generations', '1')).toMatch(
      /--num-generations: .*at least 2/,
    );
    expect(await ask('ppo', '--reward', 'length:-9', '--no-lora')).toMatch(
      /--lora: keel ppo .*--no-lora/,
    );
    expect(await ask('grpo', '--reward', 'length:-9', '--no-lora', '--beta', '0.1')).toMatch(
      /--beta: .*--no-lora/,
    );
    const config = folder.file('keel.yaml');
    writeFileSync(config, 'max_completion_length: 5\nepsilon: 0.1\nnum_ppo_epochs: 2\n');
    const told = await ask('ppo', '--config', config, '--reward', 'length:-9');
    for (const name of ['max_new_tokens', 'clip_range', 'num_iterations']) {
      expect(told).toMatch(new RegExp(`unknown key "\\w+": .*\\b${name}$`, 'm'));
    }
    expect(await ask('d2po', '--reward', 'length:-9', '--gold-budget', '3')).toMatch(
      /--gold-budget: .*16 gold pairs.*--discriminator-warmup/,
    );
    expect(await ask('raft', '--reward', 'length:-9', '--keep', '9')).toMatch(
      /--keep: .*--num-generations \(8\), found 9/,
    );
  });
});

test('keel schema ppo describes its YAML file', async () => {
  const { code, stdout } = await keel(['schema', 'ppo']);
  expect(code).toBe(0);
  const { properties } = JSON.parse(stdout);
  expect(properties.kl_in).toMatchObject({ enum: ['reward', 'loss'], default: 'reward' });
  expect(properties.lora).toMatchObject({ default: true });
});
