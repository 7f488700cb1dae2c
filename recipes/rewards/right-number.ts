// 1 where the answer is the number of the row's field "answer" and nothing else; a tenth where its last number is that one.
import type { RewardFunction } from '@keel/align';

const rightNumber: RewardFunction = ({ text, extra }) => {
  const wanted = String(extra.answer);
  if (text.trim().replace(/\.$/, '') === wanted) return 1;
  return text.match(/\d+/g)?.at(-1) === wanted ? 0.1 : 0;
};

export default rightNumber;
