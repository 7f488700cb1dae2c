// Short runs of training verbs on the tiny chat model.
import { goldenPath } from '@keel/torch/testing';
import { type Calling, type Ended, keel, type TemporaryFolder } from './command-line.ts';

/** null where the golden files are absent: their tests are skipped then. */
export const tinyChat = goldenPath('tiny-chat')!;

/** Rows of a golden trajectory. */
export const trajectoryRows = (name: string): string =>
  `${goldenPath(`trajectories/${name}`)}/train.jsonl`;

/** Options of a short run on these rows. */
export const shortRun = (rows: string): string[] => [
  ...['--model', tinyChat, '--data', rows, '--precision', 'fp32', '--batch-size', '4'],
];

/** Runs a training verb into `folder`, whose cache is its own too. */
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
