// The strings that schemas allow.
import { type Automaton, automaton, automatonExpression, both } from '../language/automaton.ts';
import { everyCharacter } from '../language/characters.ts';
import { type Expression, never, oneOf, repeat } from '../language/expression.ts';
import { regexExpression } from '../language/regex.ts';
import { formats } from './formats.ts';
import { anyString, stringOf } from './json-text.ts';
import type { Conjunction } from './schema-document.ts';

/** The expressions over characters that the content must match, without its length. */
function contents(schemas: Conjunction): Expression[] {
  return schemas.flatMap(({ schema: { pattern, format } }) => [
    ...(pattern === undefined ? [] : [regexExpression(pattern, 'part')]),
    ...(format === undefined ? [] : [regexExpression(formats[format]!, 'whole')]),
  ]);
}

function lengths(schemas: Conjunction): { least: number; most: number } {
  return {
    least: Math.max(0, ...schemas.map(({ schema }) => schema.minLength ?? 0)),
    most: Math.min(...schemas.map(({ schema }) => schema.maxLength ?? Number.POSITIVE_INFINITY)),
  };
}

export function stringExpression(schemas: Conjunction): Expression {
  const { least, most } = lengths(schemas);
  if (least > most) return never;
  const all = contents(schemas);
  if (all.length === 0) return anyString(least, most);
  if (all.length === 1 && least === 0 && most === Number.POSITIVE_INFINITY) {
    return stringOf(all[0]!);
  }
  return stringOf(automatonExpression(stringAutomaton(schemas)));
}

/** The contents of strings as an automaton. */
export function stringAutomaton(schemas: Conjunction): Automaton {
  const { least, most } = lengths(schemas);
  const parts = contents(schemas);
  if (parts.length === 0 || least > 0 || most < Number.POSITIVE_INFINITY) {
    parts.push(repeat(oneOf(everyCharacter), least, most));
  }
  return parts.map(automaton).reduce(both);
}
