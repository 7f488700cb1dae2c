// How large a training pass may be, and whether it computes its activations again: from the memory
// that is free.
import { activationBytes, type LanguageModel, type Role } from '@keel/model';
import { freeMemory, type Tensor } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { Notice } from './run-data.ts';

/**
 * On a CPU larger passes gain a tenth in time at most (docs/results/memory.md), and take memory. A
 * device wants more tokens at a time.
 */
const MOST_TOKENS = { cpu: 1024, device: 16_384 };
/** Smaller passes take more time a token than activations that are computed again. */
const FEWEST_TOKENS = 256;
/**
 * Share of the free memory that activations may take: estimates err, and other programs want some.
 */
const SHARE = 0.5;
/**
 * Parameters' gradients and both of AdamW's moments, which come with the first step: bytes an
 * element.
 */
const TRAINING_BYTES = 3 * 4;
/** Rows of logits that are held at a time, in float32 at most, with their slopes. */
const LOGIT_BYTES = 2 * 4 * 256;

export interface PassOptions {
  microBatchSize: number | null;
  microBatchTokens: number | 'auto' | null;
  gradientCheckpointing: 'auto' | 'on' | 'off';
}

export interface PassPlan {
  limit: MicroBatchLimit;
  /**
   * Whether a pass of so many tokens computes its activations again. The gradient is the same
   * either way.
   */
  recomputes(tokens: number): boolean;
}

export interface TrainedModel {
  model: LanguageModel;
  /** Role that is trained. */
  role: Role;
  parameters: ReadonlyMap<string, Tensor>;
}

/** Bytes that training takes beside weights and activations. */
export function trainingBytes({ model, parameters }: Omit<TrainedModel, 'role'>): number {
  const elements = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
  return TRAINING_BYTES * elements + LOGIT_BYTES * model.decoder.config.vocabularySize;
}

/**
 * @param began tokens of a pass in the run that is resumed: a resumed run keeps them, since other
 *   passes round otherwise
 * @param free bytes that can be taken; measured, unless told
 */
export function planPasses(
  { model, role, parameters }: TrainedModel,
  { microBatchSize, microBatchTokens, gradientCheckpointing }: PassOptions,
  notice: Notice,
  { began, free = freeMemory(model.device) }: { began?: number | null; free?: number } = {},
): PassPlan {
  const bytes = activationBytes(model.decoder, role === 'reference' ? null : role);
  const budget = Math.max(0, SHARE * (free - trainingBytes({ model, parameters })));
  const perToken = gradientCheckpointing === 'on' ? bytes.checkpointed : bytes.held;
  const chosen = (): number => {
    if (typeof began === 'number') {
      notice(`passes of at most ${began} tokens, as the run began with`, 'pass tokens of before');
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
      `passes were made by ${named(began)}, now by ${named(tokens)}: the run goes on, but not bit for bit`,
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
          `activations of a pass of ${tokens} tokens would take ${((tokens * bytes.held) / 1e9).toFixed(1)} GB and are computed again instead (--gradient-checkpointing off keeps them)`,
          'recomputation',
        );
      }
      return short;
    },
  };
}
