// Where a DPO run's reference log-probabilities come from: computed as rows come up, or in advance and kept in the cache.

import { cacheFolder, type LanguageModel, loadModel, type Role, type Tokenizer } from '@keel/model';
import { addonBuild } from '@keel/torch';
import type { DpoOptions } from '../config/dpo-options.ts';
import { MovingReference, movingOptions } from './moving-reference.ts';
import type { PairSource, PreferenceRows } from './pair-source.ts';
import type { Policy } from './policy.ts';
import { precomputeReference, recomputeFirstStep, type StepShape } from './precompute-reference.ts';
import {
  loadReference,
  type ReferenceOptions,
  ReferenceScores,
  referenceCachePath,
  saveReference,
} from './reference-scores.ts';
import type { Notice } from './run-data.ts';
import { hashAdapter } from './run-identity.ts';

/** What of the reference an objective needs beside whole answers. */
export type ReferenceNeeds = Pick<ReferenceOptions, 'shared'>;

/** The pairs of a dataset, and the rows that they are made of. */
export interface ScoredSource {
  pairs: PairSource;
  rows: PreferenceRows;
  heldOut: boolean;
}

export interface DpoReferences {
  training: ReferenceScores;
  evaluation: ReferenceScores | null;
  /** What they are the scores of, where that follows the policy. */
  moving: MovingReference | null;
  /** SHA-256 of the reference's weights where it is another model than the one before training. */
  hash: string | null;
}

/** @throws Error when the options name no reference for an objective that needs one */
export function refuseMissingReference({ reference, loss }: DpoOptions): void {
  if (reference !== 'none') return;
  throw new Error(
    `--reference none: the objective ${loss.join(' + ')} compares with a reference; leave it at "initial"`,
  );
}

/** @throws Error when the options move a reference that the objective has none of */
export function refuseNeedlessReference({ referenceSyncSteps, loss }: DpoOptions): void {
  if (referenceSyncSteps === null) return;
  throw new Error(
    `--reference-sync-steps: the objective ${loss.join(' + ')} compares with no reference, so there is none to move; leave it out`,
  );
}

/**
 * The reference's scores of training and held-out rows. A LoRA run on its own base computes them as rows come up, unless
 * told otherwise, and so does one whose reference moves; all else changes the reference while it trains, or has another
 * model, and computes them now.
 * @throws Error when the reference model has other tokens than the policy, or takes fewer than --max-length
 */
export async function openReferences(
  policy: Policy,
  options: DpoOptions,
  training: ScoredSource,
  evaluation: ScoredSource | null,
  shape: StepShape,
  notice: Notice,
  needs: ReferenceNeeds = {},
): Promise<DpoReferences> {
  const { model } = policy;
  const own = (role: Role) => ({
    training: new ReferenceScores(model, training.rows.length, { ...needs, role }),
    evaluation:
      evaluation &&
      new ReferenceScores(model, evaluation.rows.length, { ...needs, role, heldOut: true }),
    hash: null,
  });
  const asked = movingOptions(options);
  if (asked !== null) {
    const moving = new MovingReference(model, policy.role, asked);
    return { ...own(moving.role), moving };
  }
  const fixed = options.lora && options.adapter === null && options.reference === 'initial';
  if (fixed && !options.precomputeReference) {
    return { ...own('reference'), moving: null };
  }
  using reference = await referenceModel(policy, options);
  const scoresOf = (source: ScoredSource) =>
    computedScores(reference, source, policy, options, shape, notice, needs);
  return {
    training: await scoresOf(training),
    evaluation: evaluation && (await scoresOf(evaluation)),
    moving: null,
    hash: reference.initial ? null : await reference.model.hash(),
  };
}

interface ReferenceModel extends Disposable {
  model: LanguageModel;
  role: Role;
  /** Whether it is the policy before its first step. */
  initial: boolean;
  /** Hash of the adapter that lies over it, or null. */
  adapterHash: string | null;
}

async function referenceModel(
  { model, role, precision }: Policy,
  options: DpoOptions,
): Promise<ReferenceModel> {
  if (options.reference === 'initial') {
    const adapterHash = options.adapter === null ? null : hashAdapter(options.adapter);
    return { model, role, initial: true, adapterHash, [Symbol.dispose]: () => {} };
  }
  const other = await loadModel(options.reference, { precision, device: model.device });
  try {
    refuseOtherTokens(other.tokenizer, model.tokenizer, options);
    refuseFewerPositions(other.decoder.config.maxPositions, options);
  } catch (error) {
    other.dispose();
    throw error;
  }
  return {
    model: other,
    role: 'reference',
    initial: false,
    adapterHash: null,
    [Symbol.dispose]: () => other.dispose(),
  };
}

async function computedScores(
  reference: ReferenceModel,
  { pairs, rows, heldOut }: ScoredSource,
  { model, precision }: Policy,
  { maxLength }: DpoOptions,
  shape: StepShape,
  notice: Notice,
  needs: ReferenceNeeds,
): Promise<ReferenceScores> {
  const scores = new ReferenceScores(reference.model, pairs.length, {
    ...needs,
    role: reference.role,
    heldOut,
  });
  const label = heldOut ? 'held-out' : 'training';
  const path = referenceCachePath(cacheFolder(), {
    model: await reference.model.hash(),
    adapter: reference.adapterHash,
    tokenizer: model.tokenizer.hash,
    rows: await rows.fingerprint(),
    precision: `${precision} ${model.device}`,
    software: addonBuild(),
    maxLength,
    ...needs,
  });
  if (loadReference(path, scores)) {
    notice(`reference log-probabilities of ${pairs.length} ${label} rows: from the cache`);
  } else {
    await precomputeReference(pairs, scores, {
      ...shape,
      onProgress: (done, total) =>
        notice(`reference log-probabilities of ${done} of ${total} ${label} rows`),
    });
    saveReference(path, scores);
  }
  if (reference.initial && !heldOut) await recomputeFirstStep(pairs, scores, shape);
  return scores;
}

function refuseFewerPositions(positions: number, { reference, maxLength }: DpoOptions): void {
  if (maxLength === null || maxLength <= positions) return;
  throw new Error(
    `--reference ${reference} takes at most ${positions} tokens, fewer than --max-length ${maxLength}: give --max-length ${positions} or less, or another reference`,
  );
}

/** Both models are given the policy's token ids. */
function refuseOtherTokens(
  other: Tokenizer,
  own: Tokenizer,
  { model, reference }: DpoOptions,
): void {
  const ids = Math.max(other.vocabSize, own.vocabSize);
  for (let id = 0; id < ids; id++) {
    const [there, here] = [other.idToToken(id), own.idToToken(id)];
    if (there === here) continue;
    throw new Error(
      `--reference ${reference} has other tokens than --model ${model}: id ${id} is ${JSON.stringify(there)} there and ${JSON.stringify(here)} here; take a reference of the same family`,
    );
  }
}
