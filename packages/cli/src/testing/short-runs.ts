// Short runs of training verbs on the tiny chat model.
import { readFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { type Calling, type Ended, jsonLines, keel, TemporaryFolder } from './command-line.ts';

export const tinyChat = goldenPath('tiny-chat');

/** Rows of a golden trajectory. */
export const trajectoryRows = (name: string): string =>
  `${goldenPath(`trajectories/${name}`)}/train.jsonl`;

/** Options of a short run on these rows. */
export const shortRun = (rows: string): string[] => [
  ...['--model', tinyChat, '--data', rows, '--precision', 'fp32', '--batch-size', '4'],
];

/** Runs a training verb with its output and its cache in `folder`. */
export const train = (
  verb: string,
  folder: TemporaryFolder,
  args: readonly string[],
  calling: Calling = {},
): Promise<Ended> =>
  keel([verb, '--output', folder.file('run'), ...args], {
    ...calling,
    env: { KEEL_CACHE: folder.file('cache'), ...calling.env },
  });

/**
 * Interrupts a training verb's run after its second step, checks what it leaves, and resumes it for
 * one more step.
 * @param run starts it in a folder
 * @returns config.yaml of the stopped run
 */
export async function interruptAndResume(
  verb: string,
  args: readonly string[],
  run: (folder: TemporaryFolder, args: readonly string[], calling: Calling) => Promise<Ended> = (
    folder,
    own,
    calling,
  ) => train(verb, folder, own, calling),
): Promise<Record<string, unknown>> {
  using folder = new TemporaryFolder();
  const stopped = await run(folder, [...args, '--json', '--max-steps', '1000000'], {
    onLine: (line, child) => {
      const { type, step } = JSON.parse(line);
      if (type === 'step' && step === 2) child.kill('SIGINT');
    },
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  const ending = jsonLines(stopped.stdout).at(-1)!;
  const path = folder.file('run/config.yaml');
  expect(ending).toMatchObject({ resume: `npx keel ${verb} --config ${path} --resume` });
  const config = parse(readFileSync(path, 'utf8'));
  const steps = (ending.step as number) + 1;
  const resumeArgs = ['--config', path, '--resume', '--json', '--max-steps', String(steps)];
  const env = { KEEL_CACHE: folder.file('cache') };
  const resumed = await keel([verb, ...resumeArgs], { env });
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(jsonLines(resumed.stdout).at(-1)).toMatchObject({ type: 'final', step: steps });
  return config;
}
