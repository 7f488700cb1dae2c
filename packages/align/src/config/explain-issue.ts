import type { z } from 'zod';
import { numberFault } from './decimal.ts';
import { listed } from './listed.ts';
import { nearest } from './nearest.ts';
import type { OptionDescriptor } from './options.ts';
import { unclearNumber } from './written.ts';

type Issue = z.core.$ZodIssue;

/** Describes a zod issue with one option's value: what was expected and what was found. */
export function explainIssue(issue: Issue, descriptor: OptionDescriptor, value: unknown): string {
  const found = valueAt(value, issue.path.slice(1));
  switch (issue.code) {
    case 'invalid_union': {
      const range = issue.errors.flat().find(({ code }) => code === 'too_small');
      if (range !== undefined) return explainIssue(range as Issue, descriptor, value);
      return explainType(descriptor, issue.path.length > 1, found);
    }
    case 'invalid_type':
      return explainType(descriptor, issue.path.length > 1, found);
    case 'invalid_value':
      return explainChoice(descriptor, issue.values.map(String), {
        found,
        ofItem: issue.path.length > 1,
      });
    case 'too_small':
      if (issue.origin === 'array') return `expected at least ${issue.minimum} value`;
      if (issue.origin === 'string') return 'expected text, found an empty value';
      return `expected a number ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}, found ${show(found)}`;
    case 'too_big':
      return `expected a number ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}, found ${show(found)}`;
    default:
      return issue.message;
  }
}

/** The nearest choice comes first, because the list may be long. */
function explainChoice(
  descriptor: OptionDescriptor,
  choices: string[],
  { found, ofItem }: { found: unknown; ofItem: boolean },
): string {
  const { nullable, otherNames = {} } = descriptor;
  // A list may be absent, but "none" is no item of one.
  const none = nullable && !ofItem ? ' (or none)' : '';
  if (typeof found !== 'string') return unknownChoice(found, choices, none);
  // For a name from another trainer, the nearest spelling would be a wrong suggestion.
  const name = found.toLowerCase().replaceAll('-', '_');
  if (Object.hasOwn(otherNames, name)) return `found ${show(found)}; write ${otherNames[name]}`;
  return unknownChoice(found, choices, none);
}

/** The message for a value that is not among the choices. @param end follows the list */
export function unknownChoice(found: unknown, choices: readonly string[], end = ''): string {
  const near = typeof found === 'string' ? nearest(found, choices) : null;
  if (near === null) return `found ${show(found)}; ${listed('expected one of', choices, end)}`;
  return `found ${show(found)}; did you mean "${near}"? ${listed('Expected one of', choices, end)}`;
}

function explainType(descriptor: OptionDescriptor, ofItem: boolean, found: unknown): string {
  const { type } = descriptor;
  const isNumber = type === 'number' || type === 'integer';
  const why = isNumber && typeof found === 'string' ? numberFault(found, type) : null;
  const unclear = type === 'map' ? unclearIn(found) : null;
  if (unclear !== null) {
    return `found ${show(found)}, which may be a number or a text: put a text in quotes; for a number, ${unclear}`;
  }
  const path = type === 'string' && found === null && descriptor.choices === null;
  const quoted = path ? '. Put a text of that name in quotes, or write a path as ./null' : '';
  return `expected ${expectedType(descriptor, ofItem)}, found ${show(found)}${why === null ? quoted : `: ${why}`}`;
}

/** Why the only text in a part of a mapping is unclear. */
function unclearIn(part: unknown): string | null {
  if (typeof part === 'string') return unclearNumber(part);
  if (typeof part !== 'object' || part === null) return null;
  const [only] = Object.values(part);
  return unclearIn(only);
}

function expectedType(descriptor: OptionDescriptor, ofItem: boolean): string {
  const plain = {
    boolean: 'true or false',
    integer: 'a whole number',
    number: 'a number',
    string: descriptor.choices ? `one of ${descriptor.choices.join(', ')}` : 'text',
    map: 'a mapping or a JSON object',
  }[descriptor.type];
  const single = [plain, ...descriptor.words].join(', or ');
  const type = descriptor.list && !ofItem ? `a list of values, each ${single}` : single;
  return descriptor.nullable && !ofItem ? `${type}, or none` : type;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) current = (current as Record<PropertyKey, unknown> | null)?.[key];
  return current;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
