// The tokenizers and golden values of the conformance suite;
// fixtures/conformance/make-conformance.py wrote them.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PythonFloat } from '../../jinja/values.ts';
import { inOrder } from '../../json/exact-json.ts';
import type { ChatMessage, RenderOptions } from '../chat-template.ts';
import { Tokenizer, type TokenizerConfig, type TokenizerParts } from '../tokenizer.ts';

const folder = fileURLToPath(new URL('../fixtures/conformance/', import.meta.url));

/** A family's settings, next to its template. */
interface FamilySettings {
  /** The base that the family's tokens are added to. */
  tokenizer: string;
  /** The token that a post-processor puts before every text. */
  begins_with?: string;
  added?: (string | { content: string; special?: boolean })[];
  config: TokenizerConfig;
  /** Names of its templates; only `default` if the field is missing. */
  templates?: string[];
  [part: string]: unknown;
}

interface TokenizerBase {
  added_tokens: { id: number; content: string }[];
  model: { vocab: Record<string, number> };
  [part: string]: unknown;
}

/** A text or a list of ids, or a hash if it is long. */
export type Written<T> = T | { sha256: string; length: number };

/**
 * A text relative to another one: all of it and an addition, or its first `keep` units and `add`.
 */
export type Compared = string | { keep: number; add: Written<string> } | { error: string };

export interface ConversationInput {
  name: string;
  messages: ChatMessage[];
  tools?: unknown[];
  variables?: Record<string, unknown>;
}

export interface GoldenTexts {
  /** The time that `strftime_now` was rendered at. */
  now: string;
  /** One for each conversation, in their order. */
  rows: {
    text: Written<string> | { error: string };
    prompted: Compared;
    continued?: Compared;
    ids?: Written<number[]>;
  }[];
}

/**
 * Reads a fixture's JSON. `{"$float": 20}` is Python's float 20.0, `{"$int": "…"}` an integer
 * beyond 2^53, and `{"$map": [["10", 1], ["2", 2]]}` an object whose fields a JS object would
 * reorder.
 */
export const readConformance = <T>(url: string | URL): T =>
  JSON.parse(readFileSync(url, 'utf8'), (_, value) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$float' in value) return new PythonFloat(value.$float);
    if ('$int' in value) return BigInt(value.$int);
    if ('$map' in value) return ordered(value.$map);
    return value;
  }) as T;

const ordered = (entries: [string, unknown][]): object =>
  inOrder(
    Object.fromEntries(entries),
    entries.map(([name]) => name),
  );

/** Names of the families. */
export const conformanceFamilies: readonly string[] = readdirSync(join(folder, 'templates'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .sort();

export const conformanceInputs = (): ConversationInput[] =>
  readConformance(join(folder, 'conversations.json'));

export const goldenTexts = (family: string): GoldenTexts =>
  readConformance(join(folder, 'texts', `${family}.json`));

const namedTemplates = (
  family: string,
  { templates = ['default'] }: FamilySettings,
): Record<string, string> => {
  const file = join(folder, 'templates', family);
  return Object.fromEntries(
    templates.map((name) => [
      name,
      readFileSync(name === 'default' ? `${file}.jinja` : `${file}.${name}.jinja`, 'utf8'),
    ]),
  );
};

/** Sources of a family's chat templates. */
export const familyTemplates = (family: string): string[] =>
  Object.values(
    namedTemplates(
      family,
      readConformance<FamilySettings>(join(folder, 'templates', `${family}.json`)),
    ),
  );

/** A family's tokenizer with its chat templates, whose clock is fixed at `now`. */
export const familyTokenizer = (family: string, now: string): Tokenizer => {
  const file = join(folder, 'templates', family);
  const settings = readConformance<FamilySettings>(`${file}.json`);
  const base = readConformance<TokenizerBase>(
    join(folder, 'tokenizers', `${settings.tokenizer}.json`),
  );
  const chatTemplates = namedTemplates(family, settings);
  const parts = {
    source: family,
    json: tokenizerJson(base, settings),
    config: settings.config,
    chatTemplates,
    template: { now },
  };
  return new Tokenizer(parts as TokenizerParts);
};

// Matches tokenizer_json in make-conformance.py.
const tokenizerJson = (base: TokenizerBase, settings: FamilySettings): unknown => {
  const json: TokenizerBase = { ...base };
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder']) {
    if (part in settings) json[part] = settings[part];
  }
  const size = Object.keys(base.model.vocab).length;
  const plain = {
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  };
  const added = (settings.added ?? []).map((token, index) => ({
    id: size + index,
    ...plain,
    ...(typeof token === 'string' ? { content: token } : token),
  }));
  json.added_tokens = [...base.added_tokens, ...added];
  const begin = settings.begins_with;
  if (begin !== undefined) {
    const { id } = json.added_tokens.find(({ content }) => content === begin)!;
    const bos = { SpecialToken: { id: begin, type_id: 0 } };
    const text = (name: string) => ({ Sequence: { id: name, type_id: 0 } });
    json.post_processor = {
      type: 'TemplateProcessing',
      single: [bos, text('A')],
      pair: [bos, text('A'), bos, text('B')],
      special_tokens: { [begin]: { id: begin, ids: [id], tokens: [begin] } },
    };
  }
  return json;
};

/** `value` in the fixtures' notation, so that both can be compared. */
export const writtenAs = <T extends string | number[]>(
  golden: Written<T> | { error: string },
  value: T,
): unknown => {
  if (typeof golden !== 'object' || !('sha256' in golden)) return value;
  const text = typeof value === 'string' ? value : value.join(',');
  return { sha256: createHash('sha256').update(text).digest('hex'), length: value.length };
};

/** `value` relative to `text`, in the golden value's form. */
export const comparedAs = (golden: Compared, text: string | null, value: string): unknown => {
  if (typeof golden === 'string') {
    return text !== null && value.startsWith(text) ? value.slice(text.length) : value;
  }
  if ('error' in golden) return value;
  const { keep, add } = golden;
  const shares = keep === 0 || text?.slice(0, keep) === value.slice(0, keep);
  return shares ? { keep, add: writtenAs(add, value.slice(keep)) } : value;
};

/** Options of a rendering of the conversation. */
export const renderOptions = ({ tools, variables }: ConversationInput): RenderOptions =>
  ({ tools: tools ?? null, variables }) as RenderOptions;
