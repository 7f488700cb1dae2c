import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const tinyChat = goldenPath('tiny-chat');
const completions = `${goldenPath('trajectories/sft-completion-only')}/train.jsonl`;
const pairs = `${goldenPath('trajectories/dpo-sigmoid')}/train.jsonl`;

/** A recipe of three stages on tiny-chat. */
class ThreeStages extends TemporaryFolder {
  write({ beta = 0.1, steps = 2, sftSteps = 2, more = '' } = {}): void {
    writeFileSync(
      this.file('plan.yaml'),
      `output: ${this.file('run')}
defaults:
  model: ${tinyChat}
  precision: fp32
  batch_size: 4
  learning_rate: 1e-3
  save_steps: 1
stages:
  sft:
    data: ${completions}
    lora: true
    max_steps: ${sftSteps}
  reward:
    model: \${stages.sft}
    data: ${pairs}
    lora: true
    max_steps: 1
  policy:
    verb: dpo
    model: \${stages.sft}
    data: ${pairs}
    eval_data: ${pairs}
    lora: true
    beta: ${beta}
    max_steps: ${steps}
${more}`,
    );
  }

  align(args: readonly string[] = [], calling: Calling = {}) {
    return keel(['align', this.file('plan.yaml'), ...args], {
      ...calling,
      env: { KEEL_CACHE: this.file('cache'), ...calling.env },
    });
  }

  /**
   * Runs it with --json. @returns the status and the reasons of each stage in the plan, and the
   * other events
   */
  async events(calling: Calling = {}) {
    const { code, stdout, stderr } = await this.align(['--json'], calling);
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    const stages = (plan!.stages as Record<string, unknown>[]).map((one) => [
      one.stage,
      one.status,
      ...(one.why as string[]),
    ]);
    return { stages, events, ran: events.at(-1)!.ran };
  }

  /**
   * A stage's tensors, without the header: it names the base, which is in another folder in another
   * recipe.
   */
  weights(stage: string): Buffer {
    const file = this.read(`${stage}/${adapter}`);
    return file.subarray(8 + Number(file.readBigUInt64LE(0)));
  }

  read(name: string): Buffer {
    return readFileSync(this.file(`run/${name}`));
  }
}

const adapter = 'final/adapter_model.safetensors';

describe('keel align', () => {
  test('--dry-run shows what would run, what it costs, and writes nothing', async () => {
    using plan = new ThreeStages();
    plan.write();
    const { code, stdout, stderr } = await plan.align(['--dry-run']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('plan.yaml: 3 stages, in ');
    expect(stdout).toMatch(/1\. sft {5}keel sft: run /);
    expect(stdout).toContain(`LoRA on ${plan.file('run/sft/merged')}`);
    expect(stdout).toMatch(/16 rows and 16 held out, 2 steps, \d+ tokens/);
    expect(stdout).toMatch(/about \d+s, 0\.\d GB/);
    expect(stdout).toMatch(/3 stages, about \d+s at 50% .* 0\.\d GB/);
    expect(existsSync(plan.file('run'))).toBe(false);
    expect(stdout).toMatch(/\breward\b.*\$\{stages\.reward\}/);
  });

  test('runs each stage once; changed options run a stage and those that depend on it', async () => {
    using plan = new ThreeStages();
    plan.write();
    const first = await plan.events();
    expect(first.stages.map(([name, status]) => `${name} ${status}`)).toEqual([
      'sft run',
      'reward run',
      'policy run',
    ]);
    expect(first.ran).toEqual(['sft', 'reward', 'policy']);
    const ofRuns = first.events.filter(({ type }) => type === 'step');
    expect(ofRuns.map(({ stage, step }) => `${stage} ${step}`)).toEqual([
      ...['sft 1', 'sft 2', 'reward 1', 'policy 1', 'policy 2'],
    ]);
    expect(first.events.filter(({ type }) => type === 'merge')).toHaveLength(1);
    expect(first.events.at(-1)).toMatchObject({
      type: 'done',
      chat: `npx keel chat --model ${plan.file('run/sft/merged')} --adapter ${plan.file('run/policy/final')}`,
    });

    const policy = plan.read(`policy/${adapter}`);
    const written = statSync(plan.file('run/reward/final')).mtimeMs;
    const second = await plan.events();
    expect(second.stages).toEqual([
      ['sft', 'done'],
      ['reward', 'done'],
      ['policy', 'done'],
    ]);
    expect(second.ran).toEqual([]);
    // A merged model that is missing is written again.
    rmSync(plan.file('run/sft/merged'), { recursive: true });
    expect((await plan.events()).ran).toEqual([]);
    expect(existsSync(plan.file('run/sft/merged/model.safetensors'))).toBe(true);

    plan.write({ beta: 0.2 });
    const third = await plan.events();
    expect(third.stages.at(-1)).toEqual(['policy', 'run', 'beta changed from 0.1 to 0.2']);
    expect(third.ran).toEqual(['policy']);
    expect(plan.read(`policy/${adapter}`)).not.toEqual(policy);
    expect(statSync(plan.file('run/reward/final')).mtimeMs).toBe(written);

    plan.write({ beta: 0.2, sftSteps: 1 });
    const fourth = await plan.events();
    expect(fourth.stages).toEqual([
      ['sft', 'run', 'max_steps changed from 2 to 1'],
      ['reward', 'run', expect.stringMatching(/\bsft\b/)],
      ['policy', 'run', expect.stringMatching(/\bsft\b/)],
    ]);
    expect(fourth.ran).toEqual(['sft', 'reward', 'policy']);

    const report = plan.read('report.html').toString();
    for (const name of ['sft', 'reward', 'policy'])
      expect(report).toContain(`<a href="${name}/report.html">${name}</a>`);
    expect(report).toContain('Held-out reward margin');
    expect(report).toContain('<code>sft/merged</code>');
    const { stages } = JSON.parse(plan.read('stages.json').toString());
    expect(report).toContain(stages.policy.result.sha256);
  });

  test('a stage is the same run as its verb with the same options', async () => {
    using plan = new ThreeStages();
    plan.write();
    await plan.events();
    const config = plan.file('run/policy/config.yaml');
    const { code, stderr } = await keel(
      ['dpo', '--config', config, '--output', plan.file('alone')],
      { env: { KEEL_CACHE: plan.file('cache') } },
    );
    expect(code, stderr).toBe(0);
    expect(readFileSync(plan.file(`alone/${adapter}`))).toEqual(plan.read(`policy/${adapter}`));
  });

  test('after kill -9 in a stage, it resumes there, bit for bit', async () => {
    using whole = new ThreeStages();
    using broken = new ThreeStages();
    for (const plan of [whole, broken]) plan.write({ steps: 6 });
    await whole.events();
    const killed = await broken.align(['--json'], {
      onLine: (line, child) => {
        const { stage, type, step } = JSON.parse(line);
        if (stage === 'policy' && type === 'checkpoint' && step === 3) child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const { stages, ran } = await broken.events();
    expect(stages.slice(0, 2)).toEqual([
      ['sft', 'done'],
      ['reward', 'done'],
    ]);
    expect(stages[2]!.slice(0, 2)).toEqual(['policy', 'resume']);
    expect(stages[2]![2]).toMatch(/\bstep [345]\b/);
    expect(ran).toEqual(['policy']);
    expect(broken.weights('policy')).toEqual(whole.weights('policy'));
  });

  test('the classic recipe: PPO with a reward model, both on the fine-tuned model', async () => {
    using plan = new ThreeStages();
    const prompts = plan.file('prompts.jsonl');
    const rows = ['hello', 'who are you', 'what is a bird', 'tell me more'].map((content) => ({
      prompt: [{ role: 'user', content }],
    }));
    writeFileSync(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    plan.write({
      more: `  ppo:
    model: \${stages.sft}
    reward: \${stages.reward}
    critic_from: \${stages.reward}
    data: ${prompts}
    eval_data: ${prompts}
    batch_size: 2
    max_new_tokens: 6
    num_iterations: 1
    max_steps: 2
  grpo:
    data: ${prompts}
    reward: length:-20
    batch_size: 2
    num_generations: 2
    max_new_tokens: 6
    max_steps: 1
`,
    });
    const { ran, events } = await plan.events();
    expect(ran).toEqual(['sft', 'reward', 'policy', 'ppo', 'grpo']);
    const last = events.findLast(({ stage, type }) => stage === 'ppo' && type === 'step');
    expect(last).toMatchObject({ step: 2, total_steps: 2, reward: expect.any(Number) });
    const config = plan.read('ppo/config.yaml').toString();
    expect(config).toContain(`reward: ${plan.file('run/reward/final')}`);
    expect(config).toContain(`critic_from: ${plan.file('run/reward/final')}`);
    expect((await plan.events()).ran).toEqual([]);
    const report = plan.read('report.html').toString();
    expect(report).toContain('Held-out KL to the reference');
    expect(report.match(/<polyline/g)).toHaveLength(1);
  });

  test("D2PO's discriminator starts from the reward model of a stage", async () => {
    using plan = new ThreeStages();
    const prompts = plan.file('prompts.jsonl');
    writeFileSync(prompts, '{"prompt": "hello"}\n{"prompt": "tell me more"}\n');
    plan.write({
      more: `  d2po:
    model: \${stages.sft}
    reward: length:-20
    discriminator_from: \${stages.reward}
    data: ${prompts}
    batch_size: 2
    max_new_tokens: 6
    max_steps: 2
`,
    });
    const { ran, events } = await plan.events();
    expect(ran).toEqual(['sft', 'reward', 'policy', 'd2po']);
    const first = events.find(({ stage, type }) => stage === 'd2po' && type === 'step');
    expect(first).toMatchObject({ 'labels/gold': 1, 'discriminator/score': expect.any(Number) });
    expect(first!['discriminator/score']).not.toBe(0);
    expect(plan.read('d2po/config.yaml').toString()).toContain(
      `discriminator_from: ${plan.file('run/reward/final')}`,
    );
    expect((await plan.events()).ran).toEqual([]);
    expect(existsSync(plan.file('run/d2po/discriminator/reward.json'))).toBe(true);
  });

  test('SIGINT finishes the step, and the next call resumes', async () => {
    using plan = new ThreeStages();
    plan.write({ sftSteps: 1_000_000 });
    const stopped = await plan.align(['--json'], {
      onLine: (line, child) => {
        const { type, step } = JSON.parse(line);
        if (type === 'step' && step === 2) child.kill('SIGINT');
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    const last = jsonLines(stopped.stdout).at(-1)!;
    expect(last).toMatchObject({
      ...{ type: 'interrupted', stage: 'sft' },
      resume: `npx keel align ${plan.file('plan.yaml')}`,
    });
    expect(existsSync(plan.file(`run/sft/checkpoints/step-${last.step}`))).toBe(true);
    const { stdout } = await plan.align(['--dry-run']);
    expect(stdout).toContain(`sft     keel sft: resume after step ${last.step} (`);
  });

  test('the error of a failed stage names the stage and the command to continue', async () => {
    using plan = new ThreeStages();
    plan.write();
    expect((await plan.align()).code).toBe(0);
    plan.write({ more: '    adapter: nowhere\n' });
    const failed = await plan.align();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^error: stage policy \(3 of 3\): .*nowhere/);
    expect(failed.stderr).toContain(`npx keel align ${plan.file('plan.yaml')}`);
  });

  test('a wrong key is reported with its place, before anything runs', async () => {
    using plan = new ThreeStages();
    plan.write({ more: '    bata: 1\n' });
    const { code, stderr } = await plan.align();
    expect(code).toBe(2);
    expect(stderr).toMatch(/plan\.yaml:\d+:5: unknown key "bata"; did you mean "beta"\?/);
    expect(existsSync(plan.file('run'))).toBe(false);
  });

  test("a folder that is not a recipe's is left alone", async () => {
    using plan = new ThreeStages();
    plan.write();
    const { code, stderr } = await plan.align(['--output', plan.path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/: is not empty/);
  });
});

test('keel schema align describes stages by their verbs', async () => {
  const { code, stdout } = await keel(['schema', 'align']);
  expect(code).toBe(0);
  const schema = JSON.parse(stdout);
  expect(schema.$defs.dpo.properties).toHaveProperty('beta');
  expect(schema.$defs.dpo.properties).not.toHaveProperty('output');
  expect(schema.properties.stages.properties.sft.else).toEqual({ $ref: '#/$defs/sft' });
});

describe('a recipe that ends with a verdict', () => {
  /** SFT, a suite with gates, and a judge by a rule. */
  class Verdict extends TemporaryFolder {
    write({ floor, winRate }: { floor: number; winRate: number }): void {
      const rows = [1, 2, 3].map((n) => ({ question: `${n} + ${n} = `, choices: ['2', '9'] }));
      const lines = rows.map((row) => JSON.stringify({ ...row, answer: 0 })).join('\n');
      writeFileSync(this.file('sums.jsonl'), lines);
      writeFileSync(
        this.file('suite.yaml'),
        'tasks:\n  - {name: sums, type: multiple-choice, data: sums.jsonl, prompt: question}\n',
      );
      writeFileSync(
        this.file('gates.yaml'),
        `gates:\n  - {metric: sums/acc, at_least: ${floor}}\n`,
      );
      writeFileSync(
        this.file('plan.yaml'),
        `output: ${this.file('run')}
defaults: {precision: fp32, batch_size: 4}
stages:
  sft:
    model: ${tinyChat}
    data: ${completions}
    eval_data: ${completions}
    lora: true
    max_steps: 1
  evaluate:
    run: \${stages.sft}
    suite: ${this.file('suite.yaml')}
    gate: ${this.file('gates.yaml')}
  judge:
    run: \${stages.sft}
    judge: reward:regex:/e/
    check: ${pairs}
    judge_cache: off
    limit: 3
    max_new_tokens: 4
    min_win_rate: ${winRate}
  second:
    verb: sft
    model: \${stages.sft}
    data: ${completions}
    lora: true
    max_steps: 1
`,
      );
    }

    align(args: readonly string[] = []) {
      return keel(['align', this.file('plan.yaml'), ...args], {
        env: { KEEL_CACHE: this.file('cache') },
      });
    }
  }

  test('exits with 3 where a gate fails, and says which and by how much', async () => {
    using recipe = new Verdict();
    recipe.write({ floor: 0, winRate: 1 });
    const failed = await recipe.align(['--json']);
    expect(failed.code, failed.stderr).toBe(3);
    const events = jsonLines(failed.stdout);
    const measured = events.filter(({ type }) => type === 'finished');
    expect(measured.map(({ stage }) => stage)).toEqual(['evaluate', 'judge']);
    expect(measured[0]).toMatchObject({
      numbers: [{ label: expect.stringContaining('sums'), unit: 'share' }],
      verdict: { passed: true, reasons: [expect.stringContaining('sums/acc')] },
    });
    expect(measured[1]).toMatchObject({ verdict: { passed: false } });
    const numbers = measured[1]!.numbers as { label: string; interval?: number[] }[];
    expect(numbers.map(({ label, interval }) => [label, interval?.length])).toEqual([
      ['win rate', 2],
      ['judge is right', 2],
      ['orders agree', undefined],
    ]);
    expect(events.at(-1)).toMatchObject({
      ...{ type: 'done', ran: ['sft', 'evaluate', 'judge'], passed: false, skipped: ['second'] },
    });
    const report = readFileSync(recipe.file('run/report.html'), 'utf8');
    expect(report).toContain('sums/acc');
    expect(report).toContain('href="judge/report.html"');
    expect(report).toMatch(/judge is right.*95% interval/s);

    // Changed gates only: training is not repeated, and the verdict is another one.
    recipe.write({ floor: 0, winRate: 0 });
    const passed = await recipe.align();
    expect(passed.code, passed.stderr).toBe(0);
    expect(passed.stdout).toMatch(/sft +keel sft: done/);
    expect(passed.stdout).toMatch(/evaluate +keel evaluate: done/);
    expect(passed.stdout).toMatch(/judge +keel judge: run \(min_win_rate.*1.*0\)/);
    expect(passed.stdout).toMatch(/Ran: judge, second/);
  });

  test('wrong suites, gates and judges are found before anything is trained', async () => {
    using recipe = new Verdict();
    recipe.write({ floor: 0, winRate: 0 });
    writeFileSync(recipe.file('gates.yaml'), 'gates:\n  - {metric: sums/accuracy, at_least: 0}\n');
    const gate = await recipe.align();
    expect(gate.code).not.toBe(0);
    expect(gate.stderr).toMatch(/evaluate.*gates\.yaml:2.*sums\/accuracy.*sums\/acc/s);
    recipe.write({ floor: 0, winRate: 0 });
    const plan = readFileSync(recipe.file('plan.yaml'), 'utf8');
    writeFileSync(recipe.file('plan.yaml'), plan.replace('reward:regex:/e/', 'rewards:x'));
    const judge = await recipe.align();
    expect(judge.stderr).toMatch(/judge.*rewards:x.*reward:x/s);
    expect(existsSync(recipe.file('run'))).toBe(false);
  });
});
