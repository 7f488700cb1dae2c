// One of two processes is killed: the other ends with a checkpoint, and the run goes on from there.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchProcesses } from '@keel/torch/launch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KillMoment } from '../testing/kill-moment.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { draws, tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-lost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL('../testing/train-together.ts', import.meta.url));
const inside = (...names: string[]): string => join(folder, ...names);

const STEPS = 6;
/** More of them: KEEL_KILLS=20. */
const trials = Number(process.env.KEEL_KILLS ?? 4);
let runs = 0;

async function train(
  output: string,
  {
    resume = false,
    overwrite = false,
    kill,
  }: { resume?: boolean; overwrite?: boolean; kill?: unknown } = {},
) {
  const flags = {
    ...{
      model: inside('model'),
      data: [inside('rows.jsonl')],
      output,
      precision: 'fp32',
      loraRank: 4,
    },
    ...{
      lora: true,
      loraDropout: 0.1,
      microBatchSize: 1,
      batchSize: 4,
      maxSteps: STEPS,
      saveSteps: '2',
    },
    ...{ samplePrompts: 'none', learningRate: 1e-2, threads: 1, resume, overwrite },
  };
  const file = inside(`jobs-${runs++}.json`);
  writeFileSync(file, JSON.stringify([{ verb: 'dpo', flags }]));
  const said: string[][] = [[], []];
  const args = kill === undefined ? [program, file] : [program, file, JSON.stringify(kill)];
  const end = await launchProcesses(process.execPath, args, {
    ...{ processes: 2, threads: 1, env: { ...process.env, TMPDIR: inside('tmp') } },
    onLine: (rank, line) => said[rank]!.push(line),
  });
  return { ...end, said: said.map((lines) => lines.join('\n')) };
}

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  writeRowsFile(folder, tinyRows(12));
  mkdirSync(inside('tmp'));
  const { exitCode, said } = await train(inside('whole'));
  expect(exitCode, said.join('\n')).toBe(0);
}, 60_000);

const draw = draws(Number(process.env.KEEL_KILLS_SEED ?? 11));
const phases = ['data', 'forward', 'backward', 'all-reduce', 'optimiser', 'checkpoint'] as const;
const moments = Array.from({ length: trials }, (): { rank: number; moment: KillMoment } => {
  const phase = phases[draw(phases.length)]!;
  const happening = (['begin', 'end'] as const)[draw(2)]!;
  // A step has several passes.
  const count = 1 + draw(['checkpoint'].includes(phase) ? STEPS / 2 : STEPS);
  return { rank: draw(2), moment: { phase, happening, count } };
});

describe('a process that is killed', () => {
  it.each(moments)('leaves a run that resumes to the same bytes: $rank, $moment', async (kill) => {
    const output = inside(`killed-${runs}`);
    const { exitCode, said } = await train(output, { kill });
    expect(exitCode, said.join('\n')).not.toBe(0);
    // After the last step, rank 0 does not need the others.
    if (kill.rank === 1 && readdirSync(output).includes('final')) {
      expectSameRun(output, inside('whole'));
      return;
    }
    expect(said[1 - kill.rank]).toMatch(/GroupError|RunFailedError/);
    const begun = readdirSync(output).includes('checkpoints');
    const again = await train(output, begun ? { resume: true } : { overwrite: true });
    expect(again.exitCode, again.said.join('\n')).toBe(0);
    expectSameRun(output, inside('whole'));
  }, 60_000);
});
