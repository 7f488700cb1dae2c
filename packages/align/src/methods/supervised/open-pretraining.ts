// Opens the rows of the pretraining mix that the options name.
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { rowsOf } from '../../config/row-options.ts';
import type { TrainingOptions } from '../../config/training-options.ts';
import type { RowSource } from '../../data/open-rows.ts';
import { trainingFault } from '../../data/training-fault.ts';
import type { PromptSource } from '../../rollouts/prompt-source.ts';
import { surveyLengths } from '../../training/lengths.ts';
import type { Policy } from '../../training/policy.ts';
import { type Notice, openNoticed } from '../../training/run-data.ts';
import type { PreparedRun } from '../../training/run-training.ts';
import { ExampleSource } from './example-source.ts';
import { PretrainingMix } from './pretraining-mix.ts';
import type { PretrainingOptions } from './pretraining-options.ts';

/**
 * Opens the rows, before a model is loaded.
 * @returns null without --pretraining-data
 * @throws DataError where a row is not valid
 */
export async function openPretrainingRows(
  options: TrainingOptions & Partial<PretrainingOptions>,
  notice: Notice,
): Promise<RowSource<'supervised'> | null> {
  const { pretrainingData } = options;
  if (pretrainingData == null) return null;
  const how = { ...rowsOf(options), kind: 'supervised', refuse: trainingFault } as const;
  // --columns may name columns that only --data has.
  return openNoticed(pretrainingData, { ...how, mayLackColumns: true }, notice);
}

/**
 * The mix of these rows.
 * @param owned closes them at the end of the run
 * @throws DataError where a row is not valid; Error where they are not those of the run that is
 *   resumed
 */
export async function openPretraining<Options extends TrainingOptions>(
  rows: RowSource<'supervised'>,
  { options, policy, addInput, notice }: PreparedRun<Options, 'prompt', PromptSource, Policy>,
  owned: AsyncDisposableStack,
): Promise<PretrainingMix> {
  const { pretrainingBatchSize, pretrainingCoefficient } = options as Options &
    Partial<PretrainingOptions>;
  const { seed, shuffle, maxLength, onBadRow } = options;
  await addInput('--pretraining-data', await rows.fileHashes());
  const { tokenizer, decoder } = policy.model;
  const source = owned.use(
    new ExampleSource(rows, tokenizer, {
      ...{ seed, shuffle, maxLength, onBadRow, option: '--pretraining-data' },
      positions: decoder.config.maxPositions,
      vocabularySize: decoder.config.vocabularySize,
      rules: defaultScoring,
    }),
  );
  await surveyLengths(source, { notice, part: true });
  source.expect(0, { threads: 0 });
  return new PretrainingMix({
    source,
    batchSize: pretrainingBatchSize!,
    coefficient: pretrainingCoefficient!,
  });
}
