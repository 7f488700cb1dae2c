// Settings of a model's chat template, and their form as text for another thread.
import { PythonFloat } from '../jinja/values.ts';

export interface TemplateSettings {
  /** Variables that every conversation is rendered with, such as `enable_thinking`; a row's own come first. */
  variables?: Record<string, unknown>;
  /** The clock of `strftime_now`, as a local date and time such as 2026-11-28T15:04:05 (default: now). */
  now?: string;
}

// JSON has neither int nor float: values that it would change are written as an object with one of these keys.
const floatKey = '$float';
const intKey = '$int';
const objectKey = '$object';

const floatText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** A value in a form that JSON keeps. */
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

/** The value of a {@link toPortable} form. */
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
