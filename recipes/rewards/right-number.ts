// 1 where the answer is the number of the row's field "answer" and nothing else; a tenth of it where the number is among others.
import type { RewardInput } from '@keel/align';

export default ({ completion, extra }: RewardInput): number => {
  const text = String(completion).trim();
  const wanted = String(extra.answer);
  if (text.replace(/\.$/, '') === wanted) return 1;
  return (text.match(/\d+/g) ?? []).at(-1) === wanted ? 0.1 : 0;
};
