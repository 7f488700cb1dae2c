// A whole run on single answers, from options to final/: `keel kto`, and the library's
// `alignUnpaired`.
import { cacheFolder } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { rowsOf } from '../../config/row-options.ts';
import type { DataRows } from '../../data/derived-rows.ts';
import { openRows } from '../../data/open-rows.ts';
import type { UnpairedRow } from '../../data/rows.ts';
import { trainingFault } from '../../data/training-fault.ts';
import { unpairedObjective } from '../../objectives/unpaired-registry.ts';
import { AnswerReference } from '../../reference/answer-reference.ts';
import { answerKey } from '../../reference/open-reference.ts';
import { SharedReferences, sharedReferences } from '../../reference/reference-cache.ts';
import { referenceFact } from '../../reference/reference-fact.ts';
import { RunLabels } from '../../training/label-fact.ts';
import { noticeEvent } from '../../training/run-data.ts';
import { hashAdapter } from '../../training/run-identity.ts';
import {
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
  totalSteps,
} from '../../training/run-training.ts';
import { objectiveFact } from '../pairs/objective-fact.ts';
import { fromProgram, type ProgramOptions } from '../registration/from-program.ts';
import { type KtoOptions, ktoDefinition } from './kto-options.ts';
import { labelsOf, UnpairedSource } from './unpaired-source.ts';
import { UnpairedTask } from './unpaired-task.ts';

/** Options of a run on single answers: only `data` and `output` have no default. */
export type AlignUnpairedOptions = ProgramOptions<KtoOptions>;

/**
 * Aligns a model on answers with a thumb up or down (KTO by default): the library's form of
 * `keel kto`.
 * @throws ConfigError for invalid options, Error as {@link runKto} does
 */
export const alignUnpaired = async (
  options: AlignUnpairedOptions,
  hooks: RunHooks = {},
): Promise<RunResult> => fromProgram(ktoDefinition, runKto, options, hooks);

/**
 * Runs KTO or BCO from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does; Error
 *   where all labels are the same
 */
export async function runKto(options: KtoOptions, hooks: RunHooks = {}): Promise<RunResult> {
  const shared = sharedReferences(hooks.shared);
  const cached = new SharedReferences(cacheFolder());
  try {
    return await runTraining(unpaired({ shared, cached }, new RunLabels()), options, hooks);
  } finally {
    const notice = (text: string): void => hooks.onEvent?.(noticeEvent(text));
    shared?.save(notice);
    cached.save(notice);
  }
}

interface KnownReferences {
  /** Shared by runs on the same base. */
  shared: SharedReferences | undefined;
  /** Of references that training changes, cached from one run to the next. */
  cached: SharedReferences;
}

const unpaired = (
  { shared, cached }: KnownReferences,
  labels: RunLabels,
): TrainingKind<KtoOptions, 'unpaired', UnpairedSource> => ({
  definition: ktoDefinition,
  rowKind: 'unpaired',
  open(spec, options) {
    const refuse = labels.counting<UnpairedRow>(trainingFault);
    return openRows(spec, { ...rowsOf(options), kind: 'unpaired', refuse });
  },
  async checkRows(rows, { loss, klEstimate }) {
    await refuseOneLabel(rows);
    if (unpairedObjective(loss).needsKl && klEstimate === 'mismatched') await refuseOnePrompt(rows);
  },
  source: (rows, tokenizer, how) => new UnpairedSource(rows, tokenizer, how),
  facts: ({ options, policy, data }) => [
    objectiveFact(unpairedObjective(options.loss), options.beta),
    referenceFact({ ...options, precomputeReference: !isBase(options) }, policy.parameters),
    ...labels.facts(data.rows.length),
  ],
  async task({ options, policy, source, evaluation, passes, notice, signal }) {
    if (!signal?.aborted) refuseUniform(source, options);
    const { model, role } = policy;
    const { beta, desirableWeight, undesirableWeight, klEstimate, batchSize, adapter } = options;
    const onBase = isBase(options);
    const key = { model, adapterHash: adapter === null ? null : hashAdapter(adapter) };
    const known = await (onBase ? shared : cached)?.of(await answerKey(key, policy));
    const task = new UnpairedTask({
      ...{ model, role, source, evaluation, batchSize, klEstimate, notice, ...passes },
      objective: unpairedObjective(options.loss),
      objectiveOptions: { beta, desirableWeight, undesirableWeight },
      reference: new AnswerReference({
        ...{ model, role: onBase ? 'reference' : role, shared: known, untilTrained: !onBase },
      }),
    });
    if (!onBase && !options.dryRun) {
      const steps = totalSteps(options, source.usable);
      const tell = (done: number): void =>
        notice(
          `reference log-probabilities of the answers of ${done} of ${steps} steps`,
          'reference progress',
        );
      const asked = await task.askBefore(steps, tell, signal);
      if (!asked) notice('reference log-probabilities of all answers: from the cache');
      cached.save(notice);
    }
    return task;
  },
  headlines: [
    { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
    {
      label: 'Held-out reward margin',
      metric: 'eval_rewards/margins',
      unit: 'number',
      better: 'higher',
    },
  ],
});

/**
 * Under a new adapter, the base is the reference. Otherwise training changes the reference, and its
 * log-probabilities are computed before.
 */
const isBase = ({ lora, adapter }: KtoOptions): boolean => lora && adapter === null;

/** @throws Error where all labels are the same: then no answer is better than another */
export async function refuseOneLabel(rows: DataRows<'unpaired'>): Promise<void> {
  const labels = new Set<boolean>();
  for await (const { label, label_probability: probability } of rows.iterate()) {
    const known = probability !== undefined && { labelProbability: probability };
    for (const one of labelsOf({ label, ...known })) labels.add(one);
    if (labels.size > 1) return;
  }
  const [first] = labels;
  throw new Error(
    `--data: the label is ${first} in all ${rows.length} rows of ${rows.files.join(', ')}; KTO and BCO need desirable and undesirable answers. ` +
      (first ? 'To train on good answers only, use keel sft' : 'Add rows whose label is true'),
  );
}

/**
 * Checks again after the rows are tokenised, since some may have been skipped. A source that is too
 * large to be read before the run has no labels yet, and is not refused.
 * @throws Error if all usable rows have the same label, or the same prompt and KL needs several
 */
function refuseUniform(source: UnpairedSource, { loss, klEstimate, maxLength }: KtoOptions): void {
  const { labels, hasSeveralPrompts, usable, length, leftOut, tooLong } = source;
  const [label] = labels;
  const counted = `${usable} of ${length} rows, ${leftOut} skipped`;
  const advice =
    tooLong.size > 0
      ? `Raise --max-length above ${maxLength}, or add shorter rows`
      : 'Add other rows';
  if (labels.size === 1) {
    throw new Error(
      `--data: all usable rows have the label ${label} (${counted}); KTO and BCO need both labels. ${advice}`,
    );
  }
  const needsPrompts = unpairedObjective(loss).needsKl && klEstimate === 'mismatched';
  if (labels.size === 0 || hasSeveralPrompts || !needsPrompts) return;
  throw new Error(
    `--data: all usable rows have the same prompt (${counted}); KTO estimates KL from answers to other prompts. ` +
      `${advice}, or pass --loss bco or apo_zero_unpaired, which need no KL`,
  );
}

/**
 * @throws Error where all prompts are the same: then no answer is mismatched, and KL is always 0
 */
async function refuseOnePrompt(rows: DataRows<'unpaired'>): Promise<void> {
  let first: string | null = null;
  for await (const { prompt, rendering } of rows.iterate()) {
    const text = exactJson([prompt, rendering]);
    first ??= text;
    if (text !== first) return;
  }
  throw new Error(
    `--data: the prompt is the same in all ${rows.length} rows of ${rows.files.join(', ')}; KTO estimates KL from answers to other prompts. ` +
      'Add rows with other prompts, or use --loss bco or apo_zero_unpaired, which need no KL',
  );
}
