import { openReward, type Reward } from '@keel/align/rewards';
import type { AuditVerbOptions } from '../options/audit.ts';
import { droppedText } from '../scoring/dropped-text.ts';
import { complain } from '../terminal.ts';

/** Opens a reward with a verb's options. */
export const openVerbReward = (
  spec: string,
  options: Pick<
    AuditVerbOptions,
    'precision' | 'device' | 'unsafeCode' | 'rewardConcurrency' | 'rewardTimeout'
  >,
): Promise<Reward> =>
  openReward(spec, {
    precision: options.precision,
    device: options.device as 'auto' | 'cpu',
    unsafeCode: options.unsafeCode,
    emptyAnswers: 'score',
    calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
    onLost: (fields) =>
      complain(
        `the chat template drops ${droppedText(fields)}, so the reward model does not see it. ` +
          'To see the remaining text, run keel tokens',
      ),
  });
