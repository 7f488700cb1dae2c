// str methods that change case.
import { positional } from './arguments.ts';
import { mapText, type Text } from './text.ts';
import { like } from './text-methods.ts';
import { caseFold, isCased, isLower, isUpper, toTitle } from './unicode.ts';
import type { Kwargs, Value } from './values.ts';

type Method = (self: Text, args: readonly Value[], kwargs: Kwargs) => Value;

export const upper = (text: string): string => text.toUpperCase();
export const lower = (text: string): string => text.toLowerCase();

export const capitalize = (text: string): string => {
  if (text === '') return '';
  const first = String.fromCodePoint(text.codePointAt(0)!);
  // Lower-casing depends on context, so the rest is lower-cased in place.
  const whole = text.toLowerCase();
  return toTitle(first) + whole.slice(first.toLowerCase().length);
};

/** Lower-cases the character at `at`. The result for a sigma depends on its context. */
const lowerAt = (text: string, at: number, character: string): string =>
  character === 'Σ'
    ? text.toLowerCase()[text.slice(0, at).toLowerCase().length]!
    : character.toLowerCase();

const title = (text: string): string => {
  let titled = '';
  let at = 0;
  let previous = false;
  for (const character of text) {
    titled += previous ? lowerAt(text, at, character) : toTitle(character);
    previous = isCased(character);
    at += character.length;
  }
  return titled;
};

const swapcase = (text: string): string => {
  let swapped = '';
  let at = 0;
  for (const character of text) {
    if (isUpper(character)) swapped += lowerAt(text, at, character);
    else swapped += isLower(character) ? character.toUpperCase() : character;
    at += character.length;
  }
  return swapped;
};

const casefold = (text: string): string => [...text].map(caseFold).join('');

const mapped =
  (name: string, map: (text: string) => string): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 0);
    return like(self, mapText(self, map));
  };

export const caseMethods: Record<string, Method> = {
  upper: mapped('upper', upper),
  lower: mapped('lower', lower),
  casefold: mapped('casefold', casefold),
  swapcase: mapped('swapcase', swapcase),
  capitalize: mapped('capitalize', capitalize),
  title: mapped('title', title),
};
