// What regular expressions, grammars and JSON schemas are compiled to: expressions over characters,
// with rules that may contain each other.
import { type Characters, charactersOf } from './characters.ts';

export type Expression =
  | { readonly type: 'characters'; readonly set: Characters }
  | { readonly type: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly type: 'choice'; readonly options: readonly Expression[] }
  | {
      readonly type: 'repeat';
      readonly body: Expression;
      readonly least: number;
      /** Infinity: any number of times. */
      readonly most: number;
    }
  | { readonly type: 'graph'; readonly graph: Graph }
  | { readonly type: 'rule'; readonly rule: Rule };

/** A part with a name. Its body may contain the rule itself. */
export interface Rule {
  readonly name: string;
  body: Expression;
}

/** Any path from the first node to an accepting one. */
export interface Graph {
  /** The edges that leave each node. */
  readonly edges: readonly (readonly { readonly label: Expression; readonly to: number }[])[];
  readonly accepting: ReadonlySet<number>;
}

/** Matches the empty text. */
export const empty: Expression = { type: 'sequence', parts: [] };
/** Matches no text. */
export const never: Expression = { type: 'choice', options: [] };

export const isNever = (one: Expression): boolean =>
  one.type === 'choice' && one.options.length === 0;
const isEmpty = (one: Expression): boolean => one.type === 'sequence' && one.parts.length === 0;

export const oneOf = (set: Characters): Expression =>
  set.length === 0 ? never : { type: 'characters', set };

export function sequence(...parts: readonly Expression[]): Expression {
  if (parts.some(isNever)) return never;
  const flat = parts.flatMap((part) => (part.type === 'sequence' ? part.parts : [part]));
  return flat.length === 1 ? flat[0]! : { type: 'sequence', parts: flat };
}

export function choice(...options: readonly Expression[]): Expression {
  const flat = options.flatMap((one) => (one.type === 'choice' ? one.options : [one]));
  return flat.length === 1 ? flat[0]! : { type: 'choice', options: flat };
}

export function repeat(body: Expression, least: number, most: number): Expression {
  if (least > most || (isNever(body) && least > 0)) return never;
  if (most === 0 || isNever(body) || isEmpty(body)) return empty;
  return least === 1 && most === 1 ? body : { type: 'repeat', body, least, most };
}

export const optional = (body: Expression): Expression => repeat(body, 0, 1);

/** Exactly this text. */
export const literal = (text: string): Expression =>
  sequence(...Array.from(text.toWellFormed(), (one) => oneOf(charactersOf(one))));
