// 1 where the answer is the number of the row's field "answer" and nothing else, half where its
// last number is that one, a fifth for another number alone: what the form is worth is learnt
// before what is right.
import type { RewardFunction } from '@keel/align';

const rightNumber: RewardFunction = ({ text, extra }) => {
  const wanted = String(extra.answer);
  const said = text.trim().replace(/\.$/, '');
  if (said === wanted) return 1;
  if (text.match(/\d+/g)?.at(-1) === wanted) return 0.5;
  return /^\d+$/.test(said) ? 0.2 : 0;
};

export default rightNumber;
