// Opens what a refresh needs besides the run itself: comparisons, and who labels new ones.
import { rowsOf } from '../../config/row-options.ts';
import { openRows, type RowSource } from '../../data/open-rows.ts';
import { trainingFault } from '../../data/training-fault.ts';
import { checkReward, type OpenRewardOptions, openReward } from '../../rewards/open-reward.ts';
import { rewardFiles } from '../../rewards/reward-files.ts';
import type { PromptSource } from '../../rollouts/prompt-source.ts';
import type { Policy } from '../../training/policy.ts';
import type { PreparedRun } from '../../training/run-training.ts';
import type { RefreshOptions } from './refresh-options.ts';
import type { RefreshedReward } from './refreshed-reward.ts';
import { Refresher } from './refresher.ts';

type RowOptions = Parameters<typeof rowsOf>[0];

/** The rows of a run with `--refresh`. */
export interface RefreshRows {
  old: RowSource<'preference'>;
  heldOut: RowSource<'preference'>;
}

/**
 * Opens the comparisons and checks who labels, before a model is loaded.
 * @param owned closes them at the end of the run
 * @returns null without --refresh
 * @throws DataError where a row is not valid; ConfigError for invalid labels
 */
export async function openRefreshRows(
  options: RowOptions & Partial<RefreshOptions>,
  owned: AsyncDisposableStack,
): Promise<RefreshRows | null> {
  const { refresh = null, refreshData, refreshEvalData, refreshLabels } = options;
  if (refresh === null) return null;
  await checkReward(refreshLabels!);
  const open = async (files: readonly string[]): Promise<RowSource<'preference'>> => {
    const how = { ...rowsOf(options), kind: 'preference', refuse: trainingFault } as const;
    // --columns names columns of --data.
    return owned.use(await openRows(files, { ...how, columns: null }));
  };
  return { old: await open(refreshData!), heldOut: await open(refreshEvalData!) };
}

/**
 * The refresher of a run.
 * @param owned disposes of it at the end of the run
 * @throws Error where the rows are not those of the run that is resumed, or no held-out comparison
 *   can be read
 */
export async function openRefresher<
  Options extends RowOptions & {
    seed: number;
    weightDecay: number;
    maxGradNorm: number | null;
    acceptChangedReward: boolean;
  },
>(
  { old, heldOut: rows }: RefreshRows,
  reward: RefreshedReward,
  prepared: PreparedRun<Options, 'prompt', PromptSource, Policy>,
  { owned, how }: { owned: AsyncDisposableStack; how: OpenRewardOptions },
): Promise<Refresher> {
  const { source, passes, addInput, notice, signal } = prepared;
  const options = prepared.options as Options & RefreshOptions;
  await addInput('--refresh-data', await old.fileHashes());
  await addInput('--refresh-eval-data', await rows.fileHashes());
  await addInput('--refresh-labels', await rewardFiles(options.refreshLabels!), {
    mayChange: options.acceptChangedReward,
  });
  const all = await rows.readMany(Array.from({ length: rows.length }, (_, row) => row));
  const heldOut = all.filter((row) => reward.canRead(row));
  if (heldOut.length < all.length) {
    notice(
      `${all.length - heldOut.length} of ${all.length} rows of --refresh-eval-data are too long for the reward model, and are left out`,
    );
  }
  if (heldOut.length === 0) {
    throw new Error('--refresh-eval-data: the reward model can read none of the comparisons');
  }
  return owned.use(
    new Refresher({
      ...{ reward, old, heldOut, notice, signal, settings: options, seed: options.seed },
      ...passes,
      labels: owned.use(await openReward(options.refreshLabels!, how)),
      prompts: (places) => source.read(places),
    }),
  );
}
