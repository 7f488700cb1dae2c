import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { inPlainWords } from '../formats/engine-words.ts';
import { checkAdapterTokens } from './adapter-tokenizer.ts';
import { checkConfigFields } from './config-fields.ts';
import { configTokens, tokenFields } from './config-tokens.ts';
import { encodingThread } from './encoding-thread.ts';
import { type LoadTokenizerOptions, templatesWith } from './load-options.ts';
import { readJson, readOptional, readTemplates, templateField } from './saved-files.ts';
import { Tokenizer, type TokenizerConfig } from './tokenizer.ts';
import { classTokens, tokenizerClass } from './tokenizer-class.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const configSchema = z.looseObject({
  ...tokenFields,
  tokenizer_class: z.string().nullish(),
  chat_template: templateField,
});

const addedSchema = z.record(z.string(), z.int().nonnegative());

const modelSchema = z.looseObject({
  model_type: z.string().nullish(),
  tokenizer_class: z.string().nullish(),
});

const generationSchema = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});

/**
 * The tokenizer of a Hugging Face folder: tokenizer.json, with tokenizer_config.json,
 * special_tokens_map.json, added_tokens.json, chat_template.jinja, config.json and
 * generation_config.json if they exist. config.json determines the tokenizer's class, and so the
 * special tokens that no file names.
 *
 * @throws TokenizerError naming the file that is missing or wrong.
 */
export const tokenizerFromFolder = (
  folder: string,
  options: LoadTokenizerOptions = {},
): Tokenizer =>
  inPlainWords(
    (reason, cause) =>
      new TokenizerError(folder, `its tokenizer cannot be read: ${reason}`, { cause }),
    () => fromFolder(folder, options),
  );

const fromFolder = (folder: string, options: LoadTokenizerOptions): Tokenizer => {
  const { source, adapters, ...template } = options.template ?? {};
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) throw withoutTokenizerJson(folder);
  // The thread starts while the files are read.
  encodingThread();
  const json = readJson(path, z.looseObject({}));
  const configPath = join(folder, 'tokenizer_config.json');
  const raw = readOptional(configPath, configSchema);
  const map = readOptional(join(folder, 'special_tokens_map.json'), configSchema);
  const added = readOptional(join(folder, 'added_tokens.json'), addedSchema);
  // If the file is missing, transformers derives a generation configuration from config.json.
  const generationPath = join(folder, 'generation_config.json');
  const generation = readOptional(
    existsSync(generationPath) ? generationPath : join(folder, 'config.json'),
    generationSchema,
  );
  const { chat_template: inConfig, ...config } = raw;
  const model = readOptional(join(folder, 'config.json'), modelSchema);
  const className = tokenizerClass(config.tokenizer_class, model);
  checkConfigFields(config, json, { where: configPath, className });
  const endIds = [generation.eos_token_id ?? []].flat();
  const defaults = classTokens(className);
  const found = configTokens({ json, config, map, added, defaults, endIds });
  const { extra } = found;
  const tokenizer = new Tokenizer({
    source: path,
    json: { ...json, added_tokens: found.addedTokens },
    config: {
      ...config,
      ...found.names,
      ...(Object.keys(found.ownNames).length > 0
        ? { model_specific_special_tokens: found.ownNames }
        : {}),
      ...(extra.length > 0 ? { additional_special_tokens: extra } : {}),
    } as TokenizerConfig,
    chatTemplates: templatesWith(readTemplates(folder, inConfig), source),
    template,
    files: readTokenizerFiles(folder),
    endOfTurnIds: endIds,
    endToken: found.end,
  });
  for (const adapter of adapters ?? []) checkAdapterTokens(tokenizer, adapter);
  return tokenizer;
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
