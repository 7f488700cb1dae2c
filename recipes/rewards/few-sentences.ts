// 1 for an answer of one or two sentences, less by a quarter for each more, 0 for none at all.
import type { RewardInput } from '@keel/align';

export default ({ completion }: RewardInput): number => {
  const sentences = String(completion).match(/[^.!?\s][^.!?]*([.!?]+|$)/g)?.length ?? 0;
  return sentences === 0 ? 0 : Math.max(0, 1 - Math.max(0, sentences - 2) / 4);
};
