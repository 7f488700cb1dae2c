// Answers that start with reasoning, because the generation prompt opened its block.
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { automaton, automatonExpression, otherTexts } from '../language/automaton.ts';
import { charactersOf, everyCharacter } from '../language/characters.ts';
import { type Expression, literal, oneOf, repeat, sequence } from '../language/expression.ts';

const OPENS = '<think>';
/** Ends a reasoning block; a part of the answer, whether its token is special or not. */
export const REASONING_ENDS = '</think>';
/** Prompt tokens in which the start of a block is looked for. */
const TAIL = 16;

/** Whether a prompt ends inside a reasoning block, which the answer must close first. */
export function opensReasoning(tokenizer: Tokenizer, prompt: readonly number[]): boolean {
  return tokenizer.decode(prompt.slice(-TAIL)).trimEnd().endsWith(OPENS);
}

/** Any text, the end of the reasoning, at most two new lines, and then the answer. */
export function afterReasoning(answer: Expression): Expression {
  const any = repeat(oneOf(everyCharacter), 0, Number.POSITIVE_INFINITY);
  const reasoning = otherTexts(automaton(sequence(any, literal(REASONING_ENDS), any)));
  return sequence(
    automatonExpression(reasoning),
    literal(REASONING_ENDS),
    repeat(oneOf(charactersOf('\n')), 0, 2),
    answer,
  );
}
