import { readFileSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const tinyChat = goldenPath('tiny-chat');
const trajectory = goldenPath('trajectories/dpo-sigmoid');
const fp32 = ['--model', tinyChat, '--precision', 'fp32', '--device', 'cpu'];

const mean = (values: unknown[]): number =>
  (values as number[]).reduce((sum, value) => sum + value, 0) / values.length;

describe('keel score', () => {
  const data = `${trajectory}/train.jsonl`;

  test('scores pairs as TRL does before its first step', async () => {
    const { code, stdout, stderr } = await keel(['score', ...fp32, '--data', data, '--json']);
    expect(code, stderr).toBe(0);
    const scores = jsonLines(stdout);
    expect(scores.map(({ row }) => row)).toEqual(Array.from({ length: 16 }, (_, row) => row));
    const [first] = JSON.parse(readFileSync(`${trajectory}/expected.json`, 'utf8')).steps;
    const batch = scores.slice(0, 4);
    expect(mean(batch.map((score) => score.logp_chosen))).toBeCloseTo(first['logps/chosen'], 3);
    expect(mean(batch.map((score) => score.logp_rejected))).toBeCloseTo(first['logps/rejected'], 3);
    // 15 tokens of the first chosen answer and 7 of the rejected, their end among them.
    expect(scores[0]).toMatchObject({ tokens_chosen: 15, tokens_rejected: 7 });
  });

  test('says where the chat template leaves text of the answers out', async () => {
    using folder = new TemporaryFolder();
    const rows = folder.file('rows.jsonl');
    const answer = [{ role: 'assistant', content: 'x', reasoning_content: 'why' }];
    const row = { prompt: [{ role: 'user', content: 'a' }], completion: answer };
    writeFileSync(rows, `${JSON.stringify(row)}\n`);
    const { code, stderr } = await keel(['score', ...fp32, '--data', rows, '--json']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^1 of 1 rows: .*reasoning_content.*keel tokens/m);
  });

  test('gives the same scores in any batch', async () => {
    const args = ['score', ...fp32, '--data', data, '--json', '--batch-tokens'];
    const [alone, together] = await Promise.all(
      ['1', '4096'].map(async (tokens) => jsonLines((await keel([...args, tokens])).stdout)),
    );
    alone!.forEach((score, row) => {
      for (const [name, value] of Object.entries(score)) {
        expect(together![row]![name]).toBeCloseTo(value as number, 3);
      }
    });
  });

  test('scores completions as it scores the same answers in pairs', async () => {
    using folder = new TemporaryFolder();
    const pairs = jsonLines(readFileSync(data, 'utf8'));
    const completions = folder.file('completions.jsonl');
    writeFileSync(
      completions,
      pairs
        .map(({ prompt, chosen }) => `${JSON.stringify({ prompt, completion: chosen })}\n`)
        .join(''),
    );
    const [ofPairs, single] = await Promise.all(
      [data, completions].map(async (path) =>
        jsonLines((await keel(['score', ...fp32, '--data', path, '--json'])).stdout),
      ),
    );
    expect(single).toHaveLength(16);
    single!.forEach(({ row, logp, tokens }, index) => {
      expect(row).toBe(index);
      expect(logp).toBeCloseTo(ofPairs![index]!.logp_chosen as number, 3);
      expect(tokens).toBe(ofPairs![index]!.tokens_chosen);
    });
  });

  test('shows a table, the means and the accuracy', async () => {
    const [people, machine] = await Promise.all(
      [[], ['--json']].map((more) => keel(['score', ...fp32, '--data', data, ...more])),
    );
    const scores = jsonLines(machine!.stdout);
    const right = scores.filter(
      ({ logp_chosen: a, logp_rejected: b }) => (a as number) > (b as number),
    );
    expect(people!.stdout).toContain(`in ${right.length} of 16 rows`);
    const chosen = mean(scores.map(({ logp_chosen }) => logp_chosen)).toFixed(3);
    expect(people!.stdout).toMatch(new RegExp(`^ +mean +${chosen.replace('.', '\\.')} `, 'm'));
  });

  test('names the line of a row that is neither a pair nor a completion', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('rows.jsonl');
    writeFileSync(file, '{"prompt":"a","completion":"b"}\n{"prompt":"a","completion":5}\n');
    const { code, stdout, stderr } = await keel(['score', ...fp32, '--data', file, '--json']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${file}:2: field "completion"`);
  });
});

describe('keel score with an adapter', () => {
  test('an untrained adapter gives the scores that TRL gets from the model alone', async () => {
    const folder = goldenPath('smollm2-dpo-lora');
    const adapter = ['--adapter', `${folder}/initial-adapter`];
    const data = ['--data', `${folder}/train.jsonl`, '--precision', 'fp32', '--json'];
    const { code, stdout, stderr } = await keel(['score', ...adapter, ...data]);
    expect(code, stderr).toBe(0);
    const [first] = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')).steps;
    const batch = jsonLines(stdout).slice(0, 4);
    expect(mean(batch.map((score) => score.logp_chosen))).toBeCloseTo(first['logps/chosen'], 2);
    expect(mean(batch.map((score) => score.logp_rejected))).toBeCloseTo(first['logps/rejected'], 2);
  });
});

describe('keel score with several adapters', () => {
  const data = `${trajectory}/train.jsonl`;

  test('shows each, and the difference from the first on the same rows, with its interval', async () => {
    using folder = new TemporaryFolder();
    const run = ['dpo', '--model', tinyChat, '--data', data, '--lora', '--max-steps', '2'];
    for (const [name, rate] of [
      ['a', '1e-2'],
      ['b', '3e-2'],
    ]) {
      const out = ['--output', folder.file(name!), '--learning-rate', rate!];
      const { code, stderr } = await keel([...run, '--precision', 'fp32', ...out]);
      expect(code, stderr).toBe(0);
    }
    const names = ['base', folder.file('a'), folder.file('b')];
    const args = ['score', '--data', data, '--precision', 'fp32', '--adapter', names.join(',')];
    const { code, stdout, stderr } = await keel([...args, '--json']);
    expect(code, stderr).toBe(0);
    const lines = jsonLines(stdout);
    const summaries = lines.filter(({ type }) => type === 'summary') as unknown as Summary[];
    expect(summaries.map(({ adapter }) => adapter)).toEqual([
      'base',
      ...names.slice(1).map((name) => `${name}/final`),
    ]);
    const single = jsonLines((await keel(['score', ...fp32, '--data', data, '--json'])).stdout);
    const ofBase = lines.filter(({ adapter, row }) => adapter === 'base' && row !== undefined);
    expect(ofBase).toHaveLength(single.length);
    const margins = (of: Record<string, unknown>[]) =>
      of.map(({ logp_chosen: a, logp_rejected: b }) => (a as number) - (b as number));
    expect(margins(ofBase)[3]).toBeCloseTo(margins(single)[3]!, 4);
    for (const { adapter, margin, difference } of summaries.slice(1)) {
      const own = margins(
        lines.filter((line) => line.adapter === adapter && line.row !== undefined),
      );
      expect(margin.mean).toBeCloseTo(mean(own), 6);
      expect(difference.margin.mean).toBeCloseTo(mean(own) - mean(margins(ofBase)), 6);
      const [low, high] = difference.margin.interval;
      expect(low).toBeLessThan(difference.margin.mean);
      expect(high).toBeGreaterThan(difference.margin.mean);
    }
    const people = await keel(args);
    expect(people.stdout).toContain(`${names[2]}/final minus base`);
    expect(people.stdout).toContain(summaries[2]!.difference.margin.mean.toFixed(3));
  });

  test('refuses duplicates', async () => {
    const adapter = `${goldenPath('smollm2-dpo-lora')}/initial-adapter`;
    const { code, stderr } = await keel([
      'score',
      '--data',
      data,
      '--adapter',
      adapter,
      '--adapter',
      adapter,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(adapter);
  });

  interface Summary {
    adapter: string;
    margin: { mean: number };
    difference: { margin: { mean: number; interval: [number, number] } };
  }
});

test('nothing is printed before an error in the first row', async () => {
  using folder = new TemporaryFolder();
  const [rows, reward] = [folder.file('rows.jsonl'), folder.file('reward.ts')];
  writeFileSync(rows, '{"prompt":"a","completion":"b"}\n');
  writeFileSync(reward, 'export default () => { throw new Error("no reward today"); };\n');
  const { code, stdout, stderr } = await keel(['score', '--reward', reward, '--data', rows]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/rows\.jsonl:1.*no reward today/s);
});
