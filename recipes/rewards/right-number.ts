// 1 if the answer is exactly the number in the row's field "answer", a half if that is its last
// number, a fifth for another number alone: the model learns the form before the right result.
import type { RewardFunction } from '@keel/align/rewards';

const rightNumber: RewardFunction = ({ text, extra }) => {
  const wanted = String(extra.answer);
  const said = text.trim().replace(/\.$/, '');
  if (said === wanted) return 1;
  if (text.match(/\d+/g)?.at(-1) === wanted) return 0.5;
  return /^\d+$/.test(said) ? 0.2 : 0;
};

export default rightNumber;
