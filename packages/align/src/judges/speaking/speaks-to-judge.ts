// Finds answers that speak to their judge instead of answering: a judge that reads words can be
// talked into a verdict (Zheng et al. 2024, arXiv:2410.07137: a constant answer wins 86% of
// AlpacaEval). The rules look for what such texts have to say, in any wording of theirs.
import { plainLetters } from './plain-letters.ts';
import { type JudgeAddress, labelAsked, rules } from './rules.ts';

/**
 * What an answer does that speaks to its judge: none for an answer that only answers. The answer
 * may still be a good one, and an answer without any may still be an attack: look at it.
 * @returns each at most once
 */
export function speaksToJudge(answer: string): JudgeAddress[] {
  const plain = plainLetters(answer);
  const found = rules
    .filter(
      ([name, rule]) =>
        rule.test(plain) || (name === 'asks for a verdict' && labelAsked.test(plain)),
    )
    .map(([name]) => name);
  return hidesText(answer) ? [...found, 'hides text'] : found;
}

/** Text in characters that no reader sees. Flags of regions have such characters, after a flag. */
const hidesText = (text: string): boolean =>
  /[\u{E0020}-\u{E007E}]{4,}/u.test(text.replace(/\u{1F3F4}[\u{E0020}-\u{E007F}]+/gu, ''));
