// One of two processes is killed: the other ends with a checkpoint, and the run goes on from there.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KillMoment } from '../testing/kill-moment.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { runTogether } from '../testing/run-together.ts';
import { draws, tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-lost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (...names: string[]): string => join(folder, ...names);

const STEPS = 6;
/** More of them: KEEL_KILLS=20. */
const trials = Number(process.env.KEEL_KILLS ?? 4);
let runs = 0;
/** All weights are trained and divided. */
const divided = { lora: false, loraDropout: 0, shard: 'full' };

async function train(
  output: string,
  {
    resume = false,
    overwrite = false,
    kill,
    ...more
  }: { resume?: boolean; overwrite?: boolean; kill?: unknown } & Record<string, unknown> = {},
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
  return await runTogether(folder, 2, [{ verb: 'dpo', flags: { ...flags, ...more } }], kill);
}

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  writeRowsFile(folder, tinyRows(12));
  for (const [name, more] of [
    ['whole', {}],
    ['whole, divided', divided],
  ] as const) {
    const { exitCode, said } = await train(inside(name), more);
    expect(exitCode, said.join('\n')).toBe(0);
  }
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

/** Kills a process of a run, and resumes it. */
async function killAndResume(
  kill: { rank: number; moment: KillMoment },
  { whole, ...more }: { whole: string } & Record<string, unknown>,
): Promise<void> {
  const output = inside(`killed-${runs++}`);
  const { exitCode, said } = await train(output, { kill, ...more });
  expect(exitCode, said.join('\n')).not.toBe(0);
  // After the last step, rank 0 does not need the others.
  if (kill.rank === 1 && readdirSync(output).includes('final')) {
    expectSameRun(output, whole);
    return;
  }
  const { phase, count } = kill.moment;
  const last = { optimiser: STEPS, checkpoint: STEPS / 2 }[phase!];
  // After the last exchange of whole weights, rank 1 does not need rank 0.
  const apart = kill.rank === 0 && count === last && more.shard === undefined;
  expect(said[1 - kill.rank]).toMatch(apart ? /^$|GroupError/ : /GroupError|RunFailedError/);
  const begun = readdirSync(output).includes('checkpoints');
  const again = await train(output, {
    ...(begun ? { resume: true } : { overwrite: true }),
    ...more,
  });
  expect(again.exitCode, again.said.join('\n')).toBe(0);
  expectSameRun(output, whole);
}

describe('a process that is killed', () => {
  it.each(moments)('leaves a run that resumes to the same bytes: $rank, $moment', async (kill) => {
    await killAndResume(kill, { whole: inside('whole') });
  }, 60_000);

  it.each<(typeof moments)[number]>([
    { rank: 1, moment: { phase: 'forward', happening: 'end', count: 6 } },
    { rank: 0, moment: { phase: 'backward', happening: 'begin', count: 7 } },
    { rank: 1, moment: { phase: 'checkpoint', happening: 'begin', count: 2 } },
    ...(process.env.KEEL_KILLS === undefined ? [] : moments),
  ])('does so where weights are divided: $rank, $moment', async (kill) => {
    await killAndResume(kill, { whole: inside('whole, divided'), ...divided });
  }, 60_000);
});

it.each([
  ['whole', {}],
  ['whole, divided', divided],
])(
  'an error in a pass of one process ends both, which resume: %s',
  async (whole, more) => {
    const output = inside(`failed-${runs++}`);
    // In the last of its two passes of the third step, after the other has sent gradients.
    const moment = { phase: 'backward', happening: 'end', count: 6, throws: true };
    const { exitCode, said } = await train(output, { kill: { rank: 1, moment }, ...more });
    expect(exitCode).not.toBe(0);
    for (const lines of said) expect(lines).toMatch(/thrown at end 6 of backward/);
    const again = await train(output, { resume: true, ...more });
    expect(again.exitCode, again.said.join('\n')).toBe(0);
    expectSameRun(output, inside(whole));
  },
  60_000,
);
