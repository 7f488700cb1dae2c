// The options of chat templates, and the tokenizer settings that follow from them.
import { readFileSync } from 'node:fs';
import type { LoadTokenizerOptions } from '@keel/model';
import { parseExactJson } from '@keel/model/exact-json';
import { adapterTemplate, fileError } from '@keel/model/without-torch';
import { z } from 'zod';
import type { OptionGroup } from './option-groups.ts';
import { option } from './options.ts';

/** A date, or a date and a time, without a time zone. */
const dateForm = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?)?$/;

/** Options of every verb that opens a model. */
export const templateShape = (group: OptionGroup) => ({
  chatTemplate: option(z.string().min(1).nullable().default(null), {
    description: "Jinja file to use as the chat template instead of the model's",
    group,
    reads: 'file',
    shownDefault: "the adapter's if it has one, otherwise the model's",
  }),
  chatTemplateKwargs: option(
    z
      .string()
      .refine(isJsonObject, 'expected a JSON object, such as {"enable_thinking": false}')
      .nullable()
      .default(null),
    {
      description:
        'variables for the chat template, as a JSON object; fields of a row override them',
      group,
      shownDefault: 'no variables',
      mapping: true,
    },
  ),
  templateDate: option(
    z
      .string()
      .refine(
        (text) => completeDate(text) !== null,
        'expected a date, and optionally a time, such as 2026-11-28 or 2026-11-28T15:04:05',
      )
      .nullable()
      .default(null),
    {
      description:
        'date and time for chat templates that print it (strftime_now): YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS]',
      group,
      value: 'date',
      shownDefault: 'the time at which the command starts',
    },
  ),
});

export interface TemplateOptions {
  chatTemplate?: string | null;
  /** A JSON object. */
  chatTemplateKwargs?: string | null;
  templateDate?: string | null;
}

type LoadedTemplate = NonNullable<LoadTokenizerOptions['template']> & { now: string };

/**
 * The template settings that a model's tokenizer is loaded with.
 * @param adapter folder of the adapter applied to the model: a template saved with it is the one
 *   that it was trained with
 * @throws Error if the template's file cannot be read
 */
export function templateSettings(
  { chatTemplate = null, chatTemplateKwargs = null, templateDate = null }: TemplateOptions,
  adapter: string | null = null,
): LoadedTemplate {
  const source = chatTemplate === null ? savedTemplate(adapter) : readTemplate(chatTemplate);
  return {
    ...(source !== null && { source }),
    ...(adapter !== null && { adapters: [adapter] }),
    ...(chatTemplateKwargs !== null && {
      variables: parseExactJson(chatTemplateKwargs) as Record<string, unknown>,
    }),
    now: templateDate === null ? localNow() : completeDate(templateDate)!,
  };
}

/** The chat template saved next to an adapter, or null. */
export function savedTemplate(folder: string | null): string | null {
  return folder === null ? null : adapterTemplate(folder);
}

/** The local date and time, as 2026-11-28T15:04:05. */
export function localNow(date = new Date()): string {
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset());
  return local.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
}

/** A date with its time (default: midnight); null if the text is not a date. */
export function completeDate(text: string): string | null {
  const [, day, minutes = '00:00', seconds = ':00'] = dateForm.exec(text) ?? [];
  if (day === undefined) return null;
  const whole = `${day}T${minutes}${seconds}`;
  const time = Date.parse(`${whole}Z`);
  // Date.parse takes 31 June for the 1st of July.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, whole.length) !== whole
    ? null
    : whole;
}

/** A notice with the date if the template prints it, otherwise null. */
export function dateNotice(
  template: { usesClock: boolean } | null,
  { now }: Pick<LoadedTemplate, 'now'>,
): string | null {
  if (!template?.usesClock) return null;
  return `the chat template prints the date: ${now} (change it with --template-date)`;
}

function readTemplate(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const known = fileError(error, { path, use: 'read' }) as Error;
    throw new Error(`--chat-template ${known.message}`);
  }
  if (text.trim() !== '') return text.replace(/^\uFEFF/, '');
  throw new Error(`--chat-template ${path}: is empty. Pass a file with a Jinja template`);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
