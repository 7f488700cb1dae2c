// The tokenizer's files next to a model, copied from the base to a saved model.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../formats/checkpoint-error.ts';
import { dictionary } from '../formats/dictionary.ts';
import { safeName } from '../formats/safe-name.ts';
import { writeAside } from '../formats/write-aside.ts';
import { TokenizerError } from './tokenizer-error.ts';

/** The files found when a tokenizer was read from a folder. */
export interface TokenizerFiles {
  /** Small files by name. */
  texts: Record<string, string>;
  /** Large files, which are copied on saving if they are unchanged. */
  copies: { name: string; path: string; size: number; modified: number }[];
}

const TEMPLATES = 'additional_chat_templates';
/**
 * Checks the name of a chat template, which becomes a file name when the tokenizer is saved.
 * @throws TokenizerError
 */
export const templateName = (name: string, where: string): string =>
  safeName(
    name,
    (fault) =>
      new TokenizerError(
        where,
        `the chat template named ${quote(name)} cannot be used: ${fault}, and a template's name becomes a file's. Rename it`,
      ),
  );

const texts = ['tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
// Keel reads only tokenizer.json. Converters (llama.cpp's) and slow tokenizers need the others.
const copies = [
  ...['tokenizer.json', 'added_tokens.json', 'tokenizer.model', 'spiece.model'],
  ...['vocab.json', 'merges.txt'],
];

export function readTokenizerFiles(folder: string): TokenizerFiles {
  const templates = existsSync(join(folder, TEMPLATES))
    ? readdirSync(join(folder, TEMPLATES)).filter((name) => name.endsWith('.jinja'))
    : [];
  const small = [...texts, ...templates.map((name) => `${TEMPLATES}/${name}`)];
  return {
    texts: Object.fromEntries(
      small
        .filter((name) => existsSync(join(folder, name)))
        .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    ),
    copies: copies
      .map((name) => ({ name, path: join(folder, name) }))
      .filter(({ path }) => existsSync(path))
      .map((file) => ({ ...file, ...identity(file.path) })),
  };
}

const identity = (path: string): { size: number; modified: number } => {
  const { size, mtimeMs } = statSync(path);
  return { size, modified: mtimeMs };
};

export interface TokenizerToSave {
  files: TokenizerFiles;
  /** The contents of tokenizer.json, for when there is no file to copy. */
  json: unknown;
  /** The contents of tokenizer_config.json, for the same case. */
  config: Readonly<Record<string, unknown>>;
  /** Jinja sources by name. */
  chatTemplates: Readonly<Record<string, string>>;
  /** Replaces the tokenizer's own pad token; null: unchanged. */
  padToken: string | null;
}

/**
 * Writes a tokenizer's files in transformers' format. Files that were read are written back byte
 * for byte, except for a new pad token.
 */
export function writeTokenizerFiles(
  folder: string,
  { files, json, config, chatTemplates, padToken }: TokenizerToSave,
): void {
  const write = (name: string, text: string): void =>
    writeAside(join(folder, name), (append) => append(new TextEncoder().encode(text)));
  // A refused name throws before anything is written.
  const templates = Object.entries(chatTemplates).map(([name, template]) => {
    const file =
      name === 'default'
        ? 'chat_template.jinja'
        : `${TEMPLATES}/${templateName(name, folder)}.jinja`;
    return { name, file, template };
  });
  const copied = files.copies.filter((file) => copy(file, join(folder, file.name)));
  if (!copied.some(({ name }) => name === 'tokenizer.json')) {
    write('tokenizer.json', JSON.stringify(json, null, 2));
  }
  const found = {
    ...files.texts,
    'tokenizer_config.json':
      files.texts['tokenizer_config.json'] ?? `${JSON.stringify(config, null, 2)}\n`,
  };
  for (const [name, text] of Object.entries(found)) {
    write(name, name.endsWith('.json') ? withPadToken(text, padToken) : text);
  }
  const written = templatesIn(found);
  for (const { name, file, template } of templates) {
    if (written[name] !== template) write(file, template);
  }
}

/** @returns whether the file is unchanged since it was read */
function copy({ path, size, modified }: TokenizerFiles['copies'][number], to: string): boolean {
  if (!existsSync(path)) return false;
  const now = identity(path);
  if (now.size !== size || now.modified !== modified) return false;
  const bytes = readFileSync(path);
  writeAside(to, (append) => append(bytes));
  return true;
}

function withPadToken(text: string, padToken: string | null): string {
  const json = JSON.parse(text) as Record<string, unknown>;
  if (padToken === null || contentOf(json.pad_token) === padToken) return text;
  return `${JSON.stringify({ ...json, pad_token: padToken }, null, 2)}\n`;
}

const contentOf = (token: unknown): unknown =>
  typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : token;

/**
 * The chat templates in the files, by name. Template files take precedence over those in
 * tokenizer_config.json.
 */
function templatesIn(files: Readonly<Record<string, string>>): Record<string, string> {
  const templates = dictionary<string>();
  const { chat_template: inConfig } = JSON.parse(files['tokenizer_config.json']!) as {
    chat_template?: string | { name: string; template: string }[] | null;
  };
  if (typeof inConfig === 'string') templates.default = inConfig;
  else for (const { name, template } of inConfig ?? []) templates[name] = template;
  for (const [name, text] of Object.entries(files)) {
    if (name === 'chat_template.jinja') templates.default = text;
    else if (name.startsWith(`${TEMPLATES}/`)) {
      templates[name.slice(TEMPLATES.length + 1, -'.jinja'.length)] = text;
    }
  }
  return templates;
}
