import { isInLanguage } from '@keel/align/hacking';
import { count, instruction, isWithin, relation, text } from './instruction.ts';

const isUpper = (part: string): boolean =>
  part !== part.toLowerCase() && part === part.toUpperCase();
const isLower = (part: string): boolean =>
  part !== part.toUpperCase() && part === part.toLowerCase();

export const forms = {
  'change_case:english_capital': instruction(
    {},
    (answer) => isUpper(answer) && isInLanguage(answer, 'en'),
  ),
  'change_case:english_lowercase': instruction(
    {},
    (answer) => isLower(answer) && isInLanguage(answer, 'en'),
  ),
  /** So many words are written in capitals. */
  'change_case:capital_word_frequency': instruction(
    { capital_frequency: count, capital_relation: relation },
    (answer, { capital_frequency: wanted, capital_relation: how }) => {
      const words = answer.match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu) ?? [];
      return isWithin(words.filter(isUpper).length, wanted, how);
    },
  ),
  'punctuation:no_comma': instruction({}, (answer) => !answer.includes(',')),
  /** The whole answer is in double quotation marks. */
  'startend:quotation': instruction({}, (answer) => {
    const bare = answer.trim();
    return bare.length > 1 && bare.startsWith('"') && bare.endsWith('"');
  }),
  'startend:end_checker': instruction({ end_phrase: text }, (answer, { end_phrase: phrase }) =>
    answer
      .trim()
      .replace(/^"+|"+$/g, '')
      .toLowerCase()
      .endsWith(phrase.trim().toLowerCase()),
  ),
  /** The answer starts with the prompt, word for word. */
  'combination:repeat_prompt': instruction(
    { prompt_to_repeat: text },
    (answer, { prompt_to_repeat: prompt }) =>
      answer.trim().toLowerCase().startsWith(prompt.trim().toLowerCase()),
  ),
  /** Two different answers, separated by six asterisks. */
  'combination:two_responses': instruction({}, (answer) => {
    const parts = answer.split('******');
    if (parts.slice(1, -1).some((part) => part.trim() === '')) return false;
    const given = parts.map((part) => part.trim()).filter((part) => part !== '');
    return given.length === 2 && given[0] !== given[1];
  }),
  'language:response_language': instruction({ language: text }, (answer, { language }) =>
    isInLanguage(answer, language),
  ),
};
