// How large a training pass may be, and whether it recomputes its activations: both follow from the
// free memory.
import { activationBytes, type LanguageModel, type Role } from '@keel/model';
import { freeMemory, type Tensor } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { Notice } from './run-data.ts';

/**
 * On a CPU, larger passes are at most a tenth faster (docs/results/memory.md), and take memory. A
 * device needs more tokens at a time.
 */
const MOST_TOKENS = { cpu: 1024, device: 16_384 };
/** Smaller passes cost more time per token than recomputed activations. */
const FEWEST_TOKENS = 256;
/**
 * Share of the free memory that activations may take: estimates err, and other programs need some.
 */
const SHARE = 0.5;
/**
 * Bytes per element of the parameters' gradients and both of AdamW's moments, which the first step
 * allocates.
 */
const TRAINING_BYTES = 3 * 4;
/** Bytes per token of the vocabulary: 256 rows of logits, at most float32, with their slopes. */
const LOGIT_BYTES = 2 * 4 * 256;

export interface PassOptions {
  microBatchSize: number | null;
  microBatchTokens: number | 'auto' | null;
  gradientCheckpointing: 'auto' | 'on' | 'off';
}

export interface PassPlan {
  limit: MicroBatchLimit;
  /**
   * Whether a pass of this many tokens recomputes its activations. The gradient is the same either
   * way.
   */
  recomputes(tokens: number): boolean;
}

export interface TrainedModel {
  model: LanguageModel;
  /** Role that is trained. */
  role: Role;
  parameters: ReadonlyMap<string, Tensor>;
}

/**
 * Bytes that training takes beside weights and activations.
 * @param share of gradients and moments that this process has
 */
export function trainingBytes(
  { model, parameters }: Omit<TrainedModel, 'role'>,
  share = 1,
): number {
  const elements = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
  return share * TRAINING_BYTES * elements + LOGIT_BYTES * model.decoder.config.vocabularySize;
}

/**
 * @param began tokens of a pass in the run that is resumed, which has the same: other passes round
 *   differently
 * @param free available bytes (default: measured)
 * @param share of the parameters' gradients and moments that this process has (default: all)
 */
export function planPasses(
  { model, role, parameters }: TrainedModel,
  { microBatchSize, microBatchTokens, gradientCheckpointing }: PassOptions,
  notice: Notice,
  {
    began,
    free = freeMemory(model.device),
    share = 1,
  }: { began?: number | null; free?: number; share?: number } = {},
): PassPlan {
  const bytes = activationBytes(model.decoder, role === 'reference' ? null : role);
  const budget = Math.max(0, SHARE * (free - trainingBytes({ model, parameters }, share)));
  // Divided weights are gathered again in backward, with the activations of their block.
  const recomputed = gradientCheckpointing === 'on' || model.decoder.divided !== null;
  const perToken = recomputed ? bytes.checkpointed : bytes.held;
  const chosen = (): number => {
    if (typeof began === 'number') {
      notice(
        `passes of at most ${began} tokens, as when the run was started`,
        'pass tokens of before',
      );
      return began;
    }
    const most = model.device === 'cpu' ? MOST_TOKENS.cpu : MOST_TOKENS.device;
    const tokens = Math.max(FEWEST_TOKENS, Math.min(most, Math.floor(budget / perToken)));
    notice(
      `passes of at most ${tokens} tokens (--micro-batch-tokens auto): a token takes about ${Math.ceil(perToken / 1e3)} kB, and ${(free / 1e9).toFixed(1)} GB are free`,
      'pass tokens',
    );
    return tokens;
  };
  const tokens = microBatchTokens === 'auto' ? chosen() : microBatchTokens;
  if (began !== undefined && began !== tokens) {
    const named = (most: number | null): string => (most === null ? 'rows' : `${most} tokens`);
    notice(
      `passes were split by ${named(began)}, now by ${named(tokens)}: the run continues, but not bit for bit`,
    );
  }
  let told = false;
  return {
    limit: { rows: microBatchSize, tokens },
    recomputes: (tokens) => {
      if (gradientCheckpointing !== 'auto') return gradientCheckpointing === 'on';
      const short = tokens * bytes.held > budget;
      if (short && !told) {
        told = true;
        notice(
          `activations of a pass of ${tokens} tokens would take ${((tokens * bytes.held) / 1e9).toFixed(1)} GB, so they are recomputed in backward. --gradient-checkpointing off stores them instead`,
          'recomputation',
        );
      }
      return short;
    },
  };
}
