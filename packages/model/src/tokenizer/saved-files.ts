// The JSON files and templates of a tokenizer's folder.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { dictionary } from '../formats/dictionary.ts';
import { faultsIn } from '../formats/issue-words.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { templateName } from './tokenizer-files.ts';

/** `chat_template` of tokenizer_config.json: the template, or several by name. */
export const templateField = z
  .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
  .nullish();

export const readJson = <T>(path: string, schema: z.ZodType<T>): T => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new TokenizerError(path, `is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TokenizerError(path, faultsIn(parsed.error));
  return parsed.data;
};

export const readOptional = <T>(path: string, schema: z.ZodType<T>): T =>
  existsSync(path) ? readJson(path, schema) : schema.parse({});

/** As in transformers, template files replace the configuration's templates. */
export const readTemplates = (
  folder: string,
  inConfig: z.infer<typeof templateField>,
): Record<string, string> => {
  const files = dictionary<string>();
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) files.default = readFileSync(file, 'utf8');
  const others = join(folder, 'additional_chat_templates');
  if (existsSync(others)) {
    for (const name of readdirSync(others).filter((entry) => entry.endsWith('.jinja'))) {
      files[templateName(name.slice(0, -'.jinja'.length), others)] = readFileSync(
        join(others, name),
        'utf8',
      );
    }
  }
  const path = join(folder, 'tokenizer_config.json');
  const named = dictionary<string>();
  if (typeof inConfig === 'string') named.default = inConfig;
  else for (const { name, template } of inConfig ?? []) named[templateName(name, path)] = template;
  return Object.keys(files).length > 0 ? files : named;
};

/** The templates in a folder's files, by name. */
export const savedTemplates = (folder: string): Record<string, string> => {
  const path = join(folder, 'tokenizer_config.json');
  const { chat_template } = readOptional(path, z.looseObject({ chat_template: templateField }));
  return readTemplates(folder, chat_template);
};
