// Where a DPO run's reference log-probabilities come from: computed as rows come up, or in advance
// and kept in the cache.

import { cacheFolder, type LanguageModel, loadModel, type Role, type Tokenizer } from '@keel/model';
import { addonBuild } from '@keel/torch';
import type { DpoOptions } from '../methods/pairs/dpo-options.ts';
import type { PairSource } from '../methods/pairs/pair-source.ts';
import { removeCached } from '../runs/optional-cache.ts';
import type { Policy } from '../training/policy.ts';
import type { Notice } from '../training/run-data.ts';
import { hashAdapter } from '../training/run-identity.ts';
import { MovingReference, movingOptions } from './moving-reference.ts';
import {
  firstStep,
  pairPacking,
  precomputeReference,
  type ReferenceRows,
  recomputeFirstStep,
  type StepShape,
} from './precompute-reference.ts';
import {
  type KeptScores,
  loadReference,
  type ReferenceKey,
  type ReferenceOptions,
  ReferenceScores,
  referenceCachePath,
  saveReference,
} from './reference-scores.ts';
import type { SharedKey, SharedReferences } from './shared-references.ts';

/** What of the reference an objective needs beside whole answers. */
export type ReferenceNeeds = Pick<ReferenceOptions, 'shared'>;

/** Tokenised rows of a dataset, and what tells them from others. */
export interface ScoredSource<Placed, Batch> extends ReferenceRows<Placed, Batch> {
  rows: { readonly length: number; fingerprint(): Promise<string> };
  heldOut: boolean;
}

/** How the scores of a kind of row are kept. */
export interface ScoreKind<Scores> {
  make(model: LanguageModel, rows: number, options: Omit<ReferenceOptions, 'shared'>): Scores;
  /** What the scores depend on beside rows and models. */
  key: Pick<ReferenceKey, 'shared' | 'width'>;
}

export interface References<Scores> {
  training: Scores;
  evaluation: Scores | null;
  /** What they are the scores of, where that follows the policy. */
  moving: MovingReference | null;
  /** SHA-256 of the reference's weights where it is another model than the one before training. */
  hash: string | null;
}

export type DpoReferences = References<ReferenceScores>;

/** The pairs of a dataset. */
export interface ScoredPairs {
  pairs: PairSource;
  rows: ScoredSource<never, never>['rows'];
  heldOut: boolean;
}

/**
 * {@link openScores} of pairs.
 * @param shared what other runs have computed of the same reference as answers came up
 */
export async function openReferences(
  policy: Policy,
  options: DpoOptions,
  training: ScoredPairs,
  evaluation: ScoredPairs | null,
  shape: StepShape,
  notice: Notice,
  needs: ReferenceNeeds = {},
  shared?: SharedReferences,
): Promise<DpoReferences> {
  const withPacking = ({ pairs, ...rest }: ScoredPairs) => ({
    ...rest,
    source: pairs,
    packing: pairPacking,
  });
  const held = evaluation && withPacking(evaluation);
  const kind: ScoreKind<ReferenceScores> = {
    make: (model, rows, own) => new ReferenceScores(model, rows, { ...needs, ...own }),
    key: needs,
  };
  const own = withPacking(training);
  const found = await openScores(policy, options, own, held, shape, notice, kind, shared);
  // The first step's are computed in that step's own passes: its loss is then exact on every
  // machine.
  if (shared !== undefined) {
    const placed = await firstStep(training.pairs, shape.batchSize);
    found.training.computeHere(placed.map(({ row }) => row));
  }
  return found;
}

/**
 * The reference's scores of training and held-out rows. A LoRA run on its own base computes them as
 * rows come up, unless told otherwise, and so does one whose reference moves; all else changes the
 * reference while it trains, or has another model, and computes them now.
 * @param shared those that other runs have computed as rows came up
 * @throws Error when the reference model has other tokens than the policy, or takes fewer than
 *   --max-length; the shape's signal's reason where it fires meanwhile
 */
export async function openScores<
  Placed extends { row: number },
  Batch,
  Scores extends KeptScores<Batch>,
>(
  policy: Policy,
  options: DpoOptions,
  training: ScoredSource<Placed, Batch>,
  evaluation: ScoredSource<Placed, Batch> | null,
  shape: StepShape,
  notice: Notice,
  kind: ScoreKind<Scores>,
  shared?: SharedReferences,
): Promise<References<Scores>> {
  const { model } = policy;
  const asked = movingOptions(options);
  if (asked !== null) {
    const moving = new MovingReference(model, policy.role, asked);
    const { role } = moving;
    return {
      training: kind.make(model, training.rows.length, { role }),
      evaluation: evaluation && kind.make(model, evaluation.rows.length, { role, heldOut: true }),
      hash: null,
      moving,
    };
  }
  const fixed = options.lora && options.adapter === null && options.reference === 'initial';
  if (fixed && !options.precomputeReference) {
    const others = shared?.of(await sharedKey({ model, adapterHash: null }, policy));
    const scoresOf = ({ rows, heldOut }: ScoredSource<Placed, Batch>): Scores =>
      kind.make(model, rows.length, { heldOut, others });
    return {
      training: scoresOf(training),
      evaluation: evaluation && scoresOf(evaluation),
      hash: null,
      moving: null,
    };
  }
  using reference = await referenceModel(policy, options);
  const scoresOf = (source: ScoredSource<Placed, Batch>) =>
    computedScores(reference, source, policy, options, shape, notice, kind);
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

async function computedScores<
  Placed extends { row: number },
  Batch,
  Scores extends KeptScores<Batch>,
>(
  reference: ReferenceModel,
  own: ScoredSource<Placed, Batch>,
  policy: Policy,
  { maxLength }: DpoOptions,
  shape: StepShape,
  notice: Notice,
  kind: ScoreKind<Scores>,
): Promise<Scores> {
  const { rows, heldOut } = own;
  const scores = kind.make(reference.model, rows.length, { role: reference.role, heldOut });
  const label = heldOut ? 'held-out' : 'training';
  const key = await referenceKey(reference, rows, policy, maxLength, kind.key);
  const path = referenceCachePath(cacheFolder(), key);
  if (loadReference(path, scores)) {
    notice(`reference log-probabilities of ${rows.length} ${label} rows: from the cache`);
  } else {
    // What an interrupted call has computed.
    const begun = `${path}.begun`;
    loadReference(begun, scores);
    try {
      await precomputeReference(own, scores, {
        ...shape,
        onProgress: (done, total) =>
          notice(`reference log-probabilities of ${done} of ${total} ${label} rows`),
      });
    } catch (error) {
      if (shape.signal?.aborted) saveReference(begun, scores, notice);
      throw error;
    }
    saveReference(path, scores, notice);
    removeCached(begun);
  }
  if (reference.initial && !heldOut) await recomputeFirstStep(own, scores, shape);
  return scores;
}

/** What the reference's scores of answers depend on, whatever rows they stand in. */
export const sharedKey = async (
  reference: Pick<ReferenceModel, 'model' | 'adapterHash'>,
  { model, precision }: Pick<Policy, 'model' | 'precision'>,
): Promise<SharedKey> => ({
  model: await reference.model.hash(),
  adapter: reference.adapterHash,
  tokenizer: model.tokenizer.hash,
  precision: `${precision} ${model.device}`,
  software: addonBuild(),
});

/** What the reference's scores of these rows depend on. */
const referenceKey = async (
  reference: Pick<ReferenceModel, 'model' | 'adapterHash'>,
  rows: { fingerprint(): Promise<string> },
  policy: Pick<Policy, 'model' | 'precision'>,
  maxLength: number | null,
  needs: ScoreKind<never>['key'],
): Promise<ReferenceKey> => ({
  ...(await sharedKey(reference, policy)),
  rows: await rows.fingerprint(),
  maxLength,
  ...needs,
});

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
