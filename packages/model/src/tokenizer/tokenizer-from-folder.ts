import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { namedTokenFields, Tokenizer, type TokenizerConfig } from './tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';

const token = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();

const configSchema = z.looseObject({
  ...Object.fromEntries(namedTokenFields.map((name) => [name, token])),
  additional_special_tokens: z.array(token).nullish(),
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
  added_tokens_decoder: z
    .record(z.string(), z.looseObject({ content: z.string(), special: z.boolean().optional() }))
    .nullish(),
});

const generationSchema = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});

/**
 * The tokenizer of a Hugging Face folder: tokenizer.json, with tokenizer_config.json, special_tokens_map.json,
 * chat_template.jinja and generation_config.json where they exist.
 *
 * @throws TokenizerError naming the file that is missing or wrong.
 */
export const tokenizerFromFolder = (folder: string): Tokenizer => {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) throw withoutTokenizerJson(folder);
  const json = readJson(path, z.looseObject({}));
  const raw = readOptional(join(folder, 'tokenizer_config.json'), configSchema);
  const map = readOptional(join(folder, 'special_tokens_map.json'), configSchema);
  const generation = readOptional(join(folder, 'generation_config.json'), generationSchema);
  const { chat_template: inConfig, ...config } = raw;
  const names: Record<string, string | null> = {};
  for (const name of namedTokenFields) {
    const text = contentOf(raw[name] ?? map[name]);
    if (text !== null || name in raw) names[name] = text;
  }
  const additional = (raw.additional_special_tokens ?? map.additional_special_tokens ?? [])
    .map(contentOf)
    .filter((text) => text !== null);
  const ends = generation.eos_token_id ?? [];
  return new Tokenizer({
    source: path,
    json: withConfigTokens(json, raw.added_tokens_decoder ?? {}),
    config: {
      ...config,
      ...names,
      ...(additional.length > 0 ? { additional_special_tokens: additional } : {}),
    } as TokenizerConfig,
    chatTemplates: readTemplates(folder, inConfig),
    endOfTurnIds: typeof ends === 'number' ? [ends] : ends,
  });
};

const contentOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return (value as { content: string }).content;
  return null;
};

const withoutTokenizerJson = (folder: string): TokenizerError => {
  const other = ['tokenizer.model', 'vocab.json', 'spiece.model'].find((name) =>
    existsSync(join(folder, name)),
  );
  return new TokenizerError(
    folder,
    `has no tokenizer.json${other ? ` (only ${other})` : ''}; write one with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`,
  );
};

const readJson = <T>(path: string, schema: z.ZodType<T>): T => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new TokenizerError(path, `is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TokenizerError(path, z.prettifyError(parsed.error));
  return parsed.data;
};

const readOptional = <T>(path: string, schema: z.ZodType<T>): T =>
  existsSync(path) ? readJson(path, schema) : schema.parse({});

/** Some tokenizer_config.json name added tokens that tokenizer.json does not have; transformers takes both. */
const withConfigTokens = (
  json: Record<string, unknown>,
  fromConfig: Record<string, { content: string; special?: boolean | undefined }>,
): unknown => {
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const known = new Set(added.map((entry) => (entry as { content?: unknown } | null)?.content));
  const missing = Object.entries(fromConfig)
    .filter(([, entry]) => !known.has(entry.content))
    .map(([id, entry]) => ({ ...entry, id: Number(id), special: entry.special ?? false }));
  return missing.length === 0 ? json : { ...json, added_tokens: [...added, ...missing] };
};

/** As in transformers, template files replace the configuration's templates. */
const readTemplates = (
  folder: string,
  inConfig: z.infer<typeof configSchema>['chat_template'],
): Record<string, string> => {
  const files: Record<string, string> = {};
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) files.default = readFileSync(file, 'utf8');
  const others = join(folder, 'additional_chat_templates');
  if (existsSync(others)) {
    for (const name of readdirSync(others).filter((entry) => entry.endsWith('.jinja'))) {
      files[name.slice(0, -'.jinja'.length)] = readFileSync(join(others, name), 'utf8');
    }
  }
  if (Object.keys(files).length > 0) return files;
  if (typeof inConfig === 'string') return { default: inConfig };
  return Object.fromEntries((inConfig ?? []).map(({ name, template }) => [name, template]));
};
