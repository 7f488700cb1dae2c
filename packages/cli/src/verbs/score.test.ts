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
