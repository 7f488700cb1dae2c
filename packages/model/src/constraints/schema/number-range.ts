// Numbers between bounds, as digits. A number has at most 15 significant digits, so that two
// different texts are different numbers, and comparing texts is comparing numbers.
import { type Automaton, automaton, automatonExpression, both } from '../language/automaton.ts';
import {
  choice,
  type Expression,
  type Graph,
  literal,
  oneOf,
  sequence,
} from '../language/expression.ts';

const DIGITS = 15;

export interface NumberRange {
  low: number;
  high: number;
  lowExcluded: boolean;
  highExcluded: boolean;
  integer: boolean;
  /** A whole number; null: any number. */
  multipleOf: number | null;
}

/** The decimal digits of a number of at least 0. */
interface Decimal {
  whole: string;
  fraction: string;
}

interface Bound {
  digits: Decimal;
  excluded: boolean;
}

export function numberRange(range: NumberRange): Expression {
  const { low, high, lowExcluded, highExcluded, multipleOf } = range;
  const integer = range.integer || multipleOf !== null;
  const zero: Bound = { digits: decimal(0), excluded: false };
  const bound = (value: number, excluded: boolean): Bound | null =>
    Number.isFinite(value) ? { digits: decimal(Math.abs(value)), excluded } : null;
  const options: Expression[] = [];
  if (high > 0 || (high === 0 && !highExcluded)) {
    const from = low < 0 ? zero : bound(low, lowExcluded)!;
    options.push(magnitudes(from, bound(high, highExcluded), integer));
  }
  if (low < 0) {
    // Without -0.
    const from = high >= 0 ? { ...zero, excluded: true } : bound(high, highExcluded)!;
    options.push(sequence(literal('-'), magnitudes(from, bound(low, lowExcluded), integer)));
  }
  const all = choice(...options);
  if (multipleOf === null) return all;
  return automatonExpression(both(automaton(all), multiples(multipleOf)));
}

/** Numbers from one bound to another (null: none), both of at least 0. */
function magnitudes(low: Bound, high: Bound | null, integer: boolean): Expression {
  const longest = Math.max(DIGITS, high === null || high.excluded ? 0 : high.digits.whole.length);
  const options: Expression[] = [];
  const most = high === null ? longest : Math.min(longest, high.digits.whole.length);
  for (let length = low.digits.whole.length; length <= most; length++) {
    const graph = digitsOf(length, integer ? 0 : Math.max(0, DIGITS - length), low, high);
    options.push({ type: 'graph', graph });
  }
  return choice(...options);
}

/**
 * Numbers with so many digits before the point and at most so many after it. A node is a number of
 * digits read, and whether they equal those of the lower and of the upper bound.
 */
function digitsOf(length: number, fraction: number, low: Bound, high: Bound | null): Graph {
  const edges: { label: Expression; to: number }[][] = [];
  const accepting = new Set<number>();
  const ids = new Map<string, number>();
  const waiting: (() => void)[] = [];
  const digitAt = ({ digits }: Bound, place: number): number =>
    Number((place < length ? digits.whole[place] : digits.fraction[place - length]) ?? '0');
  const onlyZeros = ({ digits }: Bound, place: number): boolean =>
    /^0*$/.test((digits.whole + digits.fraction).slice(place));
  const node = (place: number, point: boolean, atLow: boolean, atHigh: boolean): number => {
    const key = [place, point, atLow, atHigh].join();
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = edges.push([]) - 1;
    ids.set(key, id);
    waiting.push(() => {
      const whole = place >= length;
      const enough = !atLow || (onlyZeros(low, place) && !low.excluded);
      const little = !atHigh || !onlyZeros(high!, place) || !high!.excluded;
      if (whole && !(point && place === length) && enough && little) accepting.add(id);
      if (whole && !point && fraction > 0) {
        edges[id]!.push({ label: literal('.'), to: node(place, true, atLow, atHigh) });
      }
      if (place >= length + fraction || (whole && !point)) return;
      const least = Math.max(place === 0 && length > 1 ? 1 : 0, atLow ? digitAt(low, place) : 0);
      const most = atHigh ? digitAt(high!, place) : 9;
      for (let digit = least; digit <= most; digit++) {
        const to = node(
          place + 1,
          point,
          atLow && digit === digitAt(low, place),
          atHigh && digit === digitAt(high!, place),
        );
        edges[id]!.push({ label: literal(String(digit)), to });
      }
    });
    return id;
  };
  node(0, false, low.digits.whole.length === length, high?.digits.whole.length === length);
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) one();
  return { edges: edges.map(joinedEdges), accepting };
}

/** One edge to each node. */
function joinedEdges(
  edges: readonly { label: Expression; to: number }[],
): { label: Expression; to: number }[] {
  return [...Map.groupBy(edges, ({ to }) => to)].map(([to, own]) => ({
    label: oneOf(own.flatMap(({ label }) => (label.type === 'characters' ? [...label.set] : []))),
    to,
  }));
}

/** Whole numbers that are multiples of another, by the remainder of the digits read. */
function multiples(of: number): Automaton {
  const ZERO = 0x30;
  const digitEdges = (rest: number): { range: [number, number]; to: number }[] =>
    Array.from({ length: 10 }, (_, digit) => ({
      range: [ZERO + digit, ZERO + digit],
      to: 2 + ((rest * 10 + digit) % of),
    }));
  const signed = [{ range: [0x2d, 0x2d] as [number, number], to: 1 }, ...digitEdges(0)];
  const remainders = Array.from({ length: of }, (_, rest) => digitEdges(rest));
  return {
    edges: [signed, digitEdges(0), ...remainders],
    accepting: [false, false, ...remainders.map((_, rest) => rest === 0)],
  };
}

function decimal(value: number): Decimal {
  const [digits, exponent = '0'] = value.toString().split('e') as [string, string?];
  let [whole, fraction = ''] = digits.split('.') as [string, string?];
  const shift = Number(exponent);
  if (shift > 0) {
    fraction = fraction.padEnd(shift, '0');
    whole += fraction.slice(0, shift);
    fraction = fraction.slice(shift);
  } else if (shift < 0) {
    whole = whole.padStart(1 - shift, '0');
    fraction = whole.slice(shift) + fraction;
    whole = whole.slice(0, shift);
  }
  return { whole: whole.replace(/^0+(?=\d)/, ''), fraction };
}
