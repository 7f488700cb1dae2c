// The reference, as a run's plan shows it.
import type { Tensor } from '@keel/torch';
import type { PlanFact } from '../training/run-plan.ts';
import { movingOptions } from './moving-reference.ts';

/** The options that decide which reference a run has. */
export interface ReferenceChoice {
  lora: boolean;
  adapter: string | null;
  /** `initial`: the policy before training; else a model (default: `initial`). */
  reference?: string;
  /** Whether its log-probabilities are computed before the first step (default: false). */
  precomputeReference?: boolean;
  referenceSyncSteps?: number | null;
  referenceMix?: number;
}

const fact = (kind: string, text: string, more: Record<string, unknown> = {}): PlanFact => ({
  name: 'reference',
  text,
  data: { kind, ...more },
});

/** @param why the run compares with nothing: "the objective orpo has none" */
export const noReference = (why: string): PlanFact => fact('none', `none: ${why}`);

/** @param parameters of the policy, of which a moving reference is a copy */
export function referenceFact(
  choice: ReferenceChoice,
  parameters: ReadonlyMap<string, Tensor>,
): PlanFact {
  const { lora, adapter, reference = 'initial', precomputeReference: precomputed = false } = choice;
  const { referenceSyncSteps = null, referenceMix = 1 } = choice;
  const moving = movingOptions({ referenceSyncSteps, referenceMix });
  if (moving !== null) {
    const { steps, mix } = moving;
    const how = mix === 1 ? 'set to the policy' : `moved towards the policy (mix ${mix})`;
    const bytes = [...parameters.values()].reduce((sum, { size }) => sum + 4 * size, 0);
    return {
      ...fact('moving', `a copy of the policy, ${how} every ${steps} steps`, { ...moving }),
      checkpointBytes: bytes,
    };
  }
  const ahead = precomputed ? '; log-probabilities are computed before the first step' : '';
  if (reference !== 'initial') {
    return fact('model', `${reference}${ahead}`, { model: reference, precomputed });
  }
  if (!lora) return fact('initial', `the model before training${ahead}`, { precomputed });
  if (adapter !== null) {
    return fact('adapter', `the adapter ${adapter} before training${ahead}`, {
      adapter,
      precomputed,
    });
  }
  return fact('base', `the base model, with the adapter off${ahead}`, { precomputed });
}
