// A judge of helpfulness by rule: the answer that says more of what a good answer says, in as few
// words, is better. It compares words, not meanings, so it tells a useless answer from a useful one
// and not much more.

const common = new Set(
  (
    'a an and are as at be by can do for from have i in is it its me my not of on or so that the ' +
    'this to up use was what when which with you your'
  ).split(' '),
);

const words = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/[a-z0-9]+/g) ?? []).filter((word) => !common.has(word)));

/** F1 of the words of the answer and those of the reference, from 0 to 1. */
export function rate(_prompt: string, answer: string, { reference = '' }: { reference?: string }) {
  const [said, good] = [words(answer), words(reference)];
  const both = said.intersection(good).size;
  return both === 0 ? 0 : (2 * both) / (said.size + good.size);
}

export function compare(prompt: string, a: string, b: string, row: { reference?: string }): number {
  const lead = rate(prompt, a, row) - rate(prompt, b, row);
  return (1 + Math.sign(lead)) / 2;
}
