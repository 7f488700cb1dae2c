import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyChatModel } from '../packages/align/src/testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-examples-'));
let model: string;
beforeAll(() => {
  model = writeTinyChatModel(join(folder, 'model'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (name: string, ...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, name), ...args],
    { cwd: folder, env: { ...process.env, KEEL_CACHE: join(folder, 'cache') } },
  );
  return stdout;
};
const linesOf = (name: string): number =>
  readFileSync(join(import.meta.dirname, name), 'utf8')
    .trimEnd()
    .split('\n').length;

describe('examples', () => {
  it('align.ts trains, and the aligned model answers', async () => {
    const stdout = await run('align.ts', model, '2');
    expect(stdout).toMatch(
      /^step 1: loss 0\.6931, margin 0\.000\nstep 2: loss 0\.\d{4}, margin -?\d+\.\d{3}\n\n[\s\S]+\n$/,
    );
    expect(existsSync(join(folder, 'runs/example/final/adapter_model.safetensors'))).toBe(true);
    expect(linesOf('align.ts')).toBeLessThanOrEqual(30);
  });

  it('fine-tune.ts trains on its chats, and the model answers', async () => {
    const stdout = await run('fine-tune.ts', model, '2');
    expect(stdout).toMatch(/^1 \d\.\d+\n2 \d\.\d+\n[\s\S]*\n$/);
    expect(existsSync(join(folder, 'runs/captain/final/adapter_model.safetensors'))).toBe(true);
    expect(linesOf('fine-tune.ts')).toBeLessThanOrEqual(30);
  });

  it('library.ts trains on the rows and the reward of the program', async () => {
    const stdout = await run('library.ts', model, '2');
    expect(stdout).toMatch(/^1 -?\d\.\d+\n2 -?\d\.\d+\n[\s\S]+\n$/);
    expect(existsSync(join(folder, 'runs/short/final/adapter_model.safetensors'))).toBe(true);
    expect(linesOf('library.ts')).toBeLessThanOrEqual(20);
  });

  it('app trains on the rows of its database, and checks the gate', async () => {
    const lines = (name: string): string[] =>
      readFileSync(join(import.meta.dirname, `data/concise-${name}.jsonl`), 'utf8').split('\n');
    writeFileSync(join(folder, 'train.jsonl'), lines('train').slice(0, 16).join('\n'));
    writeFileSync(join(folder, 'held-out.jsonl'), lines('held-out').slice(0, 8).join('\n'));
    const data = ['--add', 'train.jsonl', '--add-held-out', 'held-out.jsonl'];
    const stdout = await run('app/src/main.ts', '--model', model, '--steps', '2', ...data);
    expect(stdout.match(/^step \d of 2: loss \d+\.\d{4}, accuracy \d\S*$/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^passed: held-out\/accuracy /m);
  });

  it('own-objective.ts trains with a custom objective', async () => {
    const stdout = await run('own-objective.ts', model, 'runs/own');
    // If policy and reference agree, the hinge is 1.
    expect(stdout).toMatch(/type: 'step',\n\s+step: 1,[\s\S]*?loss: 1,/);
    expect(readFileSync(join(folder, 'runs/own/config.yaml'), 'utf8')).toMatch(
      /loss:\n {2}- hinge/,
    );
    expect(linesOf('own-objective.ts')).toBeLessThanOrEqual(15);
  });
});
