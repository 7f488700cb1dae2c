// 1 for an answer of one or two sentences, minus a quarter for each further sentence; 0 for none.
import type { RewardFunction } from '@keel/align/rewards';

const fewSentences: RewardFunction = ({ text }) => {
  const sentences = text.match(/[^.!?\s][^.!?]*([.!?]+|$)/g)?.length ?? 0;
  return sentences === 0 ? 0 : Math.max(0, 1 - Math.max(0, sentences - 2) / 4);
};

export default fewSentences;
