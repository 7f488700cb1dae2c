// A reference that follows the policy while it is trained.
import { z } from 'zod';
import { option } from '../../config/options.ts';

/** @param group under which --help lists them */
export const referenceSyncShape = (group: string) => ({
  referenceSyncSteps: option(z.number().int().min(1).nullable().default(null), {
    description:
      'optimizer steps after which the reference becomes the policy, again and again (iterative DPO, TR-DPO); none: it stays the model before training',
    group,
    value: 'steps',
  }),
  referenceMix: option(z.number().gt(0).max(1).default(1), {
    description:
      'how much of the policy the reference takes each time; 1: all, less leaves a part of the old one (with --reference-sync-steps 1 a moving average)',
    group,
    value: 'share',
  }),
});

/**
 * What these options and others cannot be together. @param add is told of each option that is wrong
 */
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
      add('referenceMix', 'give --reference-sync-steps too: 1 mixes every step');
  } else if (!value.lora && value.adapter === null) {
    add(
      'referenceSyncSteps',
      'a reference that moves is a second adapter, and without LoRA there is none: train with LoRA',
    );
  }
}
