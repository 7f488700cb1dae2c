// A reference that follows the policy during training.
import { z } from 'zod';
import type { OptionGroup } from '../../config/option-groups.ts';
import { option } from '../../config/options.ts';

export const referenceSyncShape = (group: OptionGroup) => ({
  referenceSyncSteps: option(z.number().int().min(1).nullable().default(null), {
    description:
      'copy the policy to the reference at this interval of optimizer steps (iterative DPO, TR-DPO)',
    group,
    value: 'steps',
    shownDefault: 'the reference never changes',
  }),
  referenceMix: option(z.number().gt(0).max(1).default(1), {
    description:
      'mix this share of the policy into the reference instead of copying all of it (with --reference-sync-steps 1: a moving average)',
    group,
    value: 'share',
  }),
});

/** Calls `add` for each of these options that contradicts another. */
export function checkReferenceSync(
  value: {
    referenceSyncSteps?: number | null;
    referenceMix?: number;
    lora: boolean;
    adapter: string | null;
  },
  add: (name: string, message: string) => void,
): void {
  const { referenceSyncSteps = null, referenceMix = 1 } = value;
  if (referenceSyncSteps === null) {
    if (referenceMix !== 1)
      add(
        'referenceMix',
        'has no effect without --reference-sync-steps. Pass it too, such as 1 to mix after every step',
      );
  } else if (!value.lora && value.adapter === null) {
    add(
      'referenceSyncSteps',
      'an updated reference is a second adapter, which needs LoRA. Train with LoRA',
    );
  }
}
