import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat } from '../testing/short-runs.ts';

const asked = ['hello', 'who are you', 'what is a bird', 'tell me more', 'go on', 'why'];

/** Policies against a proxy and an ensemble. */
const policies = `rl:
  verb: grpo
  proxies: [p4-n25-s1, p4-n25-uncertainty_weighted]
  batch_size: 1
  num_generations: 2
  learning_rate: 1e-2
  beta: 0.1
  max_steps: 2
  eval_steps: 1
  save_steps: 1
`;

/** A lab on tiny-chat: gold counts the letter e. */
class TinyLab extends TemporaryFolder {
  write({ gold = `reward: ${this.file('gold.mjs')}`, pairs = '[2, 4]', rl = policies } = {}): void {
    const rows = (from: number, to: number): string =>
      asked
        .slice(from, to)
        .map((content) => `${JSON.stringify({ prompt: [{ role: 'user', content }] })}\n`)
        .join('');
    writeFileSync(this.file('prompts.jsonl'), rows(0, 3));
    writeFileSync(this.file('held-out.jsonl'), rows(3, 6));
    writeFileSync(
      this.file('gold.mjs'),
      "export default ({ text }) => text.split('e').length + text.length / 1000;\n",
    );
    writeFileSync(
      this.file('lab.yaml'),
      `output: ${this.file('lab')}
model: ${tinyChat}
prompts: ${this.file('prompts.jsonl')}
eval_prompts: ${this.file('held-out.jsonl')}
max_new_tokens: 8
precision: fp32
gold:
  ${gold}
labels:
  answers: 3
proxies:
  pairs: ${pairs}
  noise: 0.25
  seeds: [1, 2]
  max_steps: 1
ensembles:
  rules: [mean, uncertainty_weighted]
best_of_n:
  answers: 4
${rl}`,
    );
  }

  run(args: readonly string[] = [], calling: Calling = {}) {
    return keel(['overoptimise', this.file('lab.yaml'), ...args], {
      ...calling,
      env: { KEEL_CACHE: this.file('cache') },
    });
  }

  read(name: string): string {
    return readFileSync(this.file(`lab/${name}`), 'utf8');
  }
}

interface Results {
  prompts: number;
  curves: {
    name: string;
    method: string;
    points: { at: number; kl: number; gold: { value: number } }[];
    fit: { alpha: number } | null;
  }[];
  ensembles: { name: string; against: string }[];
}

describe('keel overoptimise', () => {
  test('runs each part once, and writes one report with curves, fits and ensembles', async () => {
    using lab = new TinyLab();
    lab.write();
    const planned = await lab.run(['--dry-run']);
    expect(planned.code, planned.stderr).toBe(0);
    expect(planned.stdout).toContain('lab.yaml: 14 stages, in ');
    expect(existsSync(lab.file('lab'))).toBe(false);

    const first = await lab.run();
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain('d(a - b d)');
    const results = JSON.parse(lab.read('results.json')) as Results;
    expect(results.prompts).toBe(3);
    expect(results.curves.map(({ name, method }) => `${method} ${name}`)).toEqual([
      ...['best-of-n p2-n25', 'best-of-n p4-n25', 'best-of-n p2-n25-mean'],
      ...['best-of-n p2-n25-uncertainty_weighted', 'best-of-n p4-n25-mean'],
      'best-of-n p4-n25-uncertainty_weighted',
      ...['rl p4-n25-s1', 'rl p4-n25-uncertainty_weighted'],
    ]);
    const [best] = results.curves;
    expect(best!.points.map(({ at }) => at)).toEqual([1, 2, 3, 4]);
    expect(best!.points[3]!.kl).toBeCloseTo(Math.log(4) - 0.75, 12);
    expect(best!.fit).not.toBeNull();
    const policy = results.curves.find(({ method }) => method === 'rl')!;
    expect(policy.points.map(({ at }) => at)).toEqual([0, 1, 2]);
    expect(policy.points[0]!.kl).toBe(0);
    expect(results.ensembles.map(({ name, against }) => `${name} ${against}`)).toContain(
      'p4-n25-mean p4-n25',
    );
    expect(lab.read('report.html')).toContain('Proxy and gold against the root of the KL');
    expect(lab.read('plot.svg')).toMatch(/^<svg xmlns/);
    const spec = lab.read('stages/ensemble-p4-n25-uncertainty_weighted/reward.yaml');
    expect(spec).toContain('ensemble: uncertainty_weighted\nensemble_k: 1\n');

    // One more seed trains and scores its proxies; the samples and the other proxies stay.
    const samples = statSync(lab.file('lab/stages/samples/answers.jsonl')).mtimeMs;
    const text = readFileSync(lab.file('lab.yaml'), 'utf8').replace('[1, 2]', '[1, 2, 3]');
    writeFileSync(lab.file('lab.yaml'), text);
    const again = await lab.run(['--json']);
    expect(again.code, again.stderr).toBe(0);
    const events = jsonLines(again.stdout);
    const ran = events
      .filter(({ type, status }) => type === 'stage' && status !== 'done')
      .map(({ stage }) => stage);
    expect(ran).toEqual([
      ...['proxy-p2-n25-s3', 'proxy-p4-n25-s3', 'scores-p2-n25-s3', 'scores-p4-n25-s3'],
      ...['ensemble-p4-n25-uncertainty_weighted', 'policy-p4-n25-uncertainty_weighted'],
    ]);
    expect(statSync(lab.file('lab/stages/samples/answers.jsonl')).mtimeMs).toBe(samples);
    expect(events.at(-1)).toMatchObject({ type: 'lab', report: lab.file('lab/report.html') });
  });

  test('a killed lab goes on where it was, and has the results of one that was not', async () => {
    using whole = new TinyLab();
    using killed = new TinyLab();
    for (const lab of [whole, killed]) lab.write({ pairs: '4', rl: '' });
    const { code, stderr } = await whole.run();
    expect(code, stderr).toBe(0);
    const ended = await killed.run(['--json'], {
      onLine: (line, child) => {
        const { type, stage } = JSON.parse(line) as Record<string, unknown>;
        if (type === 'stage' && stage === 'scores-p4-n25-s1') child.kill('SIGKILL');
      },
    });
    expect(ended.signal).toBe('SIGKILL');
    expect(existsSync(killed.file('lab/results.json'))).toBe(false);
    const resumed = await killed.run(['--json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    const plan = jsonLines(resumed.stdout)[0]!.stages as Record<string, unknown>[];
    const done = plan.filter(({ status }) => status === 'done').map(({ stage }) => stage);
    expect(done).toContain('samples');
    expect(done).not.toContain('scores-p4-n25-s1');
    expect(JSON.parse(killed.read('results.json'))).toEqual(JSON.parse(whole.read('results.json')));
  });

  test('a gold reward model is trained first, and policies are judged by it', async () => {
    using lab = new TinyLab();
    const pairs = ['eel', 'deer', 'tree'].map((chosen) => ({
      prompt: [{ role: 'user', content: 'hello' }],
      chosen: [{ role: 'assistant', content: chosen }],
      rejected: [{ role: 'assistant', content: 'no' }],
    }));
    writeFileSync(lab.file('pairs.jsonl'), pairs.map((row) => `${JSON.stringify(row)}\n`).join(''));
    lab.write({ gold: `data: ${lab.file('pairs.jsonl')}\n  max_steps: 1` });
    const { code, stdout, stderr } = await lab.run(['--json']);
    expect(code, stderr).toBe(0);
    const stages = jsonLines(stdout).flatMap(({ type, stage }) =>
      type === 'stage' ? [stage] : [],
    );
    expect(stages.slice(0, 2)).toEqual(['gold', 'labels']);
  });
});

test('a lab with mistakes is refused with their places before anything runs', async () => {
  using lab = new TinyLab();
  lab.write({ rl: 'golden: {}' });
  const { code, stderr } = await lab.run(['--dry-run']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/lab\.yaml:20:1: unknown key "golden"; did you mean "gold"/);
});

test('keel schema overoptimise describes the sections with the options of their verbs', async () => {
  const { code, stdout, stderr } = await keel(['schema', 'overoptimise']);
  expect(code, stderr).toBe(0);
  const { anyOf } = JSON.parse(stdout) as {
    anyOf: { properties: Record<string, { properties: Record<string, unknown> }> }[];
  };
  const [{ properties }, world] = anyOf as [(typeof anyOf)[0], (typeof anyOf)[0]];
  expect(Object.keys(world.properties)).toContain('world');
  expect(Object.keys(properties)).toContain('eval_prompts');
  expect(Object.keys(properties.proxies!.properties)).toContain('learning_rate');
  expect(Object.keys(properties.proxies!.properties)).not.toContain('seed');
  expect(Object.keys(properties.rl!.properties)).toEqual(
    expect.arrayContaining(['verb', 'value_coefficient', 'num_generations']),
  );
});
