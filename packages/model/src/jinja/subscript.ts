// value[index] and value[start:stop:step].
import { Points } from './code-points.ts';
import { typeError, valueError } from './errors.ts';
import { concat, isMarkup, isText, markup, sliceText, type Text, textOf } from './text.ts';
import { isInt, List, Range, Tuple, typeName, Undefined, type Value } from './values.ts';

/** The item at `index`, or undefined if it is out of range. */
export const itemAt = (sequence: Text | List | Tuple | Range, index: number): Value | undefined => {
  if (isText(sequence)) {
    const text = textOf(sequence);
    const points = new Points(text);
    const at = index < 0 ? index + points.length : index;
    if (at < 0 || at >= points.length) return undefined;
    return like(sequence, sliceText(sequence, points.unit(at), points.unit(at + 1)));
  }
  const length = sequence instanceof Range ? sequence.length : sequence.items.length;
  const at = index < 0 ? index + length : index;
  if (at < 0 || at >= length) return undefined;
  return sequence instanceof Range ? sequence.at(at) : sequence.items[at];
};

const like = (source: Text, part: Text): Text => (isMarkup(source) ? markup(part) : part);

export interface SliceBounds {
  start: Value;
  stop: Value;
  step: Value;
}

/** @throws PythonError if the value has no slices, or a bound is not an int */
export const slice = (value: Value, bounds: SliceBounds): Value => {
  if (value instanceof Undefined) throw value.error();
  const isSequence =
    isText(value) || value instanceof List || value instanceof Tuple || value instanceof Range;
  if (!isSequence) {
    const message =
      value !== null && typeName(value) === 'dict'
        ? "unhashable type: 'slice'"
        : `'${typeName(value)}' object is not subscriptable`;
    throw typeError(message);
  }
  if (isText(value)) return sliceOfText(value, bounds);
  const length = value instanceof Range ? value.length : value.items.length;
  const { start, count, step } = resolve(bounds, length);
  if (value instanceof Range) {
    const first = value.start + start * value.step;
    const next = step * value.step;
    return new Range(first, resolvedStop(value, bounds), next);
  }
  const items = Array.from({ length: count }, (_, index) => value.items[start + index * step]!);
  return value instanceof List ? new List(items, value.origin) : new Tuple(items);
};

const sliceOfText = (text: Text, bounds: SliceBounds): Text => {
  const points = new Points(textOf(text));
  const { start, count, step } = resolve(bounds, points.length);
  if (step === 1) {
    return like(text, sliceText(text, points.unit(start), points.unit(start + count)));
  }
  const pieces = Array.from({ length: count }, (_, index) => {
    const at = start + index * step;
    return sliceText(text, points.unit(at), points.unit(at + 1));
  });
  return like(text, concat(pieces));
};

const bound = (value: Value): number | null => {
  if (value === null) return null;
  if (isInt(value)) return Number(value);
  throw typeError('slice indices must be integers or None or have an __index__ method');
};

const resolve = (
  { start, stop, step }: SliceBounds,
  length: number,
): { start: number; stop: number; count: number; step: number } => {
  const by = bound(step) ?? 1;
  if (by === 0) throw valueError('slice step cannot be zero');
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (value: number | null, absent: number): number => {
    if (value === null) return absent;
    return Math.min(Math.max(value < 0 ? value + length : value, low), high);
  };
  const first = clamp(bound(start), by > 0 ? low : high);
  const last = clamp(bound(stop), by > 0 ? high : low);
  const count = Math.max(0, Math.ceil((last - first) / by));
  return { start: first, stop: last, count, step: by };
};

const resolvedStop = (range: Range, bounds: SliceBounds): number =>
  range.start + resolve(bounds, range.length).stop * range.step;
