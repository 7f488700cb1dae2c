// Settings of a model's chat template, and their serialised form for other threads.
import { PythonFloat } from '../jinja/values.ts';

export interface TemplateSettings {
  /** Default variables, such as `enable_thinking`. A row's own variables override them. */
  variables?: Record<string, unknown>;
  /** The time that `strftime_now` formats, as a local ISO date-time such as 2026-11-28T15:04:05 (default: now). */
  now?: string;
}

// JSON does not distinguish ints from floats. Values that it would change become objects with one of these keys.
const floatKey = '$float';
const intKey = '$int';
const objectKey = '$object';

const floatText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** Encodes a value so that JSON preserves it. */
export const toPortable = (value: unknown): unknown => {
  if (value instanceof PythonFloat) return { [floatKey]: floatText(value.value) };
  if (typeof value === 'bigint') return { [intKey]: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { [floatKey]: floatText(value) };
  if (Array.isArray(value)) return value.map(toPortable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, toPortable(item)] as const);
  if (entries.some(([key]) => key.startsWith('$'))) return { [objectKey]: entries };
  return Object.fromEntries(entries);
};

/** Decodes the result of {@link toPortable}. */
export const fromPortable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromPortable);
  if (typeof value !== 'object' || value === null) return value;
  const form = value as Record<string, unknown>;
  if (floatKey in form) {
    const number = Number(form[floatKey]);
    return Number.isFinite(number) ? new PythonFloat(number) : number;
  }
  if (intKey in form) return BigInt(form[intKey] as string);
  const entries =
    objectKey in form ? (form[objectKey] as [string, unknown][]) : Object.entries(form);
  return Object.fromEntries(entries.map(([key, item]) => [key, fromPortable(item)]));
};
