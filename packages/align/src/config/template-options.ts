// The chat template that a model is used with: options, and what a tokenizer is loaded with for
// them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadTokenizerOptions } from '@keel/model';
import { parseExactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { option } from './options.ts';

/** A date, or a date and a time, without a time zone. */
const dateForm = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?)?$/;

/** Options of every verb that opens a model. @param group heading under which --help lists them */
export const templateShape = (group: string) => ({
  chatTemplate: option(z.string().min(1).nullable().default(null), {
    description: "Jinja file to use as the chat template, instead of the model's own",
    group,
    value: 'file',
    shownDefault: "the adapter's, else the model's",
  }),
  chatTemplateKwargs: option(
    z
      .string()
      .refine(isJsonObject, 'expected JSON of an object, such as {"enable_thinking": false}')
      .nullable()
      .default(null),
    {
      description:
        'default variables for the chat template, as JSON of an object; fields of a row override them',
      group,
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
        'date and time that chat templates print (strftime_now): YYYY-MM-DD, or YYYY-MM-DDTHH:MM[:SS]',
      group,
      value: 'date',
      shownDefault: 'when the run is started',
    },
  ),
});

export interface TemplateOptions {
  chatTemplate?: string | null;
  /** JSON of an object. */
  chatTemplateKwargs?: string | null;
  templateDate?: string | null;
}

type LoadedTemplate = NonNullable<LoadTokenizerOptions['template']> & { now: string };

/**
 * What a model's tokenizer is loaded with.
 * @param adapter folder of the adapter that lies over the model: a template saved with it is the
 *   one that it was trained with
 * @throws Error where the template's file cannot be read
 */
export function templateSettings(
  { chatTemplate = null, chatTemplateKwargs = null, templateDate = null }: TemplateOptions,
  adapter: string | null = null,
): LoadedTemplate {
  const source = chatTemplate === null ? savedTemplate(adapter) : readTemplate(chatTemplate);
  return {
    ...(source !== null && { source }),
    ...(chatTemplateKwargs !== null && {
      variables: parseExactJson(chatTemplateKwargs) as Record<string, unknown>,
    }),
    now: templateDate === null ? localNow() : completeDate(templateDate)!,
  };
}

/** The chat template that is saved in a folder beside an adapter, or null. */
export function savedTemplate(folder: string | null): string | null {
  const path = folder === null ? '' : join(folder, 'chat_template.jinja');
  return path !== '' && existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** The local date and time, as 2026-11-28T15:04:05. */
export function localNow(date = new Date()): string {
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset());
  return local.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
}

/** A date with its time, midnight where it has none; null for what is no date. */
export function completeDate(text: string): string | null {
  const [, day, minutes = '00:00', seconds = ':00'] = dateForm.exec(text) ?? [];
  if (day === undefined) return null;
  const whole = `${day}T${minutes}${seconds}`;
  const time = Date.parse(`${whole}Z`);
  // 31 June is not the 1st of July.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, whole.length) !== whole
    ? null
    : whole;
}

/** What to tell of the date where the template prints it; null where it does not. */
export function dateNotice(
  template: { usesClock: boolean } | null,
  { now }: Pick<LoadedTemplate, 'now'>,
): string | null {
  if (!template?.usesClock) return null;
  return `the chat template prints the date; it is ${now} here (--template-date)`;
}

function readTemplate(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`--chat-template ${path}: cannot read it: ${(error as Error).message}`);
  }
  if (text.trim() !== '') return text.replace(/^\uFEFF/, '');
  throw new Error(`--chat-template ${path}: is empty. Give a Jinja template`);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
