import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { CompileConstraintOptions, Constraint, TokenConstraint } from '../constraint.ts';
import { buildNetwork } from '../engine/build-network.ts';
import { tokenBytes } from '../engine/token-bytes.ts';
import { NetworkConstraint } from '../engine/token-constraint.ts';
import { type TokenTries, tokenTries } from '../engine/token-trie.ts';
import { ConstraintError } from '../language/constraint-error.ts';
import { choice, type Expression, literal, sequence } from '../language/expression.ts';
import { grammarExpression } from '../language/grammar.ts';
import { regexExpression } from '../language/regex.ts';
import { jsonSchemaExpression } from '../schema/json-schema.ts';
import { anyObject } from '../schema/json-text.ts';
import { afterReasoning, REASONING_ENDS } from './reasoning.ts';

/** Compiled constraints of a tokenizer; the least recently used ones are dropped. */
const MOST_KNOWN = 32;

interface Vocabulary {
  tries: TokenTries;
  skipsSpace: boolean;
  known: Map<string, TokenConstraint>;
}

/** By tokenizer, and by the special tokens that are text. */
const vocabularies = new WeakMap<Tokenizer, Map<string, Vocabulary>>();

/**
 * Compiles a constraint for a tokenizer's tokens. Equal constraints are compiled once.
 *
 * A regular expression matches the whole answer; its syntax is JavaScript's. A grammar is in GBNF,
 * the notation of llama.cpp. `json` is any JSON object. Of a JSON schema, every keyword is enforced
 * or refused by name.
 * @throws ConstraintError naming the place of a fault in the constraint
 */
export async function compileConstraint(
  tokenizer: Tokenizer,
  constraint: Constraint,
  options: CompileConstraintOptions,
): Promise<TokenConstraint> {
  const { vocabularySize, stopTokenIds, afterReasoning: reasons = false } = options;
  if (stopTokenIds.length === 0) {
    throw new ConstraintError('constrained output needs a token that ends an answer');
  }
  const vocabulary = vocabularyOf(tokenizer, options.textTokens ?? []);
  const key = JSON.stringify([constraint, vocabularySize, stopTokenIds, reasons]);
  const { tries, skipsSpace, known } = vocabulary;
  let found = known.get(key);
  if (found === undefined) {
    const answer = constraintExpression(constraint);
    const whole = reasons ? afterReasoning(answer) : answer;
    const network = buildNetwork(whole, tries.short.longest);
    found = new NetworkConstraint(network, { tries, skipsSpace, vocabularySize, stopTokenIds });
  }
  known.delete(key);
  known.set(key, found);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
  return found;
}

/** The texts that a constraint allows. @throws ConstraintError */
export function constraintExpression(constraint: Constraint): Expression {
  switch (constraint.kind) {
    case 'json':
      return anyObject;
    case 'json-schema':
      return jsonSchemaExpression(constraint.schema);
    case 'regex':
      return regexExpression(constraint.pattern, 'whole');
    case 'grammar':
      return grammarExpression(constraint.text);
    case 'choice': {
      const { choices } = constraint;
      if (choices.length === 0 || choices.includes('')) {
        throw new ConstraintError('choices must be one text or more, none of them empty');
      }
      return choice(...choices.map(literal));
    }
    case 'sequence':
      return sequence(
        ...constraint.parts.map((part) =>
          typeof part === 'string' ? literal(part) : constraintExpression(part),
        ),
      );
    case 'any':
      return choice(...constraint.options.map(constraintExpression));
  }
}

function vocabularyOf(tokenizer: Tokenizer, textTokens: readonly string[]): Vocabulary {
  const all = vocabularies.get(tokenizer) ?? new Map<string, Vocabulary>();
  vocabularies.set(tokenizer, all);
  const key = JSON.stringify(textTokens);
  let found = all.get(key);
  if (found === undefined) {
    const { texts, skipsSpace } = tokenBytes(tokenizer, new Set([REASONING_ENDS, ...textTokens]));
    found = { tries: tokenTries(texts), skipsSpace, known: new Map() };
    all.set(key, found);
  }
  return found;
}
