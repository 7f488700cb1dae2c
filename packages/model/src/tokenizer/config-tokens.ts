/**
 * The added tokens of a tokenizer.json, together with those that the files beside it name, as
 * transformers (5.17) adds them. `added_tokens_decoder` sets flags and adds tokens; special tokens
 * that are not among the added ones are added. If tokenizer_config.json has no
 * `added_tokens_decoder`, special_tokens_map.json takes precedence over it, and added_tokens.json
 * adds tokens. The tokenizer's class supplies special tokens that no file names.
 */
import { z } from 'zod';
import { namedTokenFields } from './named-tokens.ts';
import type { ClassTokens } from './tokenizer-class.ts';
import type { AddedToken } from './tokenizer-json.ts';

const flags = {
  single_word: z.boolean().optional(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  normalized: z.boolean().optional(),
  special: z.boolean().optional(),
};

/** A token as text, or as an object with flags. */
const namedToken = z.union([z.string(), z.looseObject({ content: z.string(), ...flags })]);
type NamedToken = z.infer<typeof namedToken>;

/** The fields of tokenizer_config.json and special_tokens_map.json that name tokens. */
export const tokenFields = {
  ...Object.fromEntries(namedTokenFields.map((name) => [name, namedToken.nullish()])),
  additional_special_tokens: z.array(namedToken).nullish(),
  extra_special_tokens: z.union([z.array(namedToken), z.record(z.string(), namedToken)]).nullish(),
  model_specific_special_tokens: z.record(z.string(), namedToken).nullish(),
  added_tokens_decoder: z
    .record(z.string(), z.looseObject({ content: z.string().min(1), ...flags }))
    .nullish(),
};

const fieldsSchema = z.looseObject(tokenFields);
export type TokenFields = z.infer<typeof fieldsSchema>;

export interface ConfigTokens {
  addedTokens: unknown[];
  /** The text of each named special token; null if the files set none. */
  names: Record<string, string | null>;
  /** The text of special tokens with model-specific names, such as `image_token`. */
  ownNames: Record<string, string>;
  /** Special tokens without a name. */
  extra: string[];
  /** The model's end-of-text token, if the tokenizer names none. */
  end: string | null;
}

export interface TokenFiles {
  /** The contents of a tokenizer.json, unchecked. */
  json: Record<string, unknown>;
  config: TokenFields;
  /** special_tokens_map.json. */
  map: TokenFields;
  /** added_tokens.json: ids by token. */
  added: Record<string, number>;
  /** The tokens that the tokenizer's class names. */
  defaults: ClassTokens;
  /** Ids that end a text according to the model. */
  endIds: readonly number[];
}

export function configTokens({
  json,
  config,
  map,
  added,
  defaults,
  endIds,
}: TokenFiles): ConfigTokens {
  const isLegacy = !config.added_tokens_decoder;
  const fields: TokenFields = isLegacy ? { ...config, ...map } : config;
  const extra = extraOf(config, isLegacy ? map : {});
  const own = ownNamed(config, isLegacy ? map : {});
  const named = namedTokenFields
    .map((name) => [name, fields[name]] as const)
    .filter((entry): entry is [(typeof entry)[0], NamedToken] => (entry[1] ?? null) !== null);
  const special = [...named.map(([, token]) => token), ...Object.values(own), ...extra];

  const list = new AddedTokens(json);
  const fromFiles = isLegacy
    ? legacyTokens(added, new Set(special.map(contentOf)), list)
    : Object.entries(config.added_tokens_decoder!).map(([id, token]) => ({
        id: Number(id),
        token,
      }));
  for (const { id, token } of fromFiles.sort((a, b) => a.id - b.id)) list.set(token, id);

  const names: ConfigTokens['names'] = {};
  const ownNames = Object.fromEntries(Object.entries(own).map(([k, v]) => [k, contentOf(v)]));
  for (const name of namedTokenFields) {
    const value = fields[name] as NamedToken | null | undefined;
    if (value !== undefined) names[name] = value === null ? null : contentOf(value);
  }
  for (const [name, token] of Object.entries(withPadding(defaults, json))) {
    // A class names only existing tokens: the model's embedding would have no row for a new one.
    if (fields[name] !== undefined || token === null || !list.isInModel(token)) continue;
    if (isStandard(name)) names[name] = token;
    else ownNames[name] ??= token;
  }
  for (const [name, token] of named) {
    // The embedding would have no row for these either; the tokenizer reports them as errors.
    const isNeeded = name === 'bos_token' || name === 'eos_token' || name === 'pad_token';
    if (!isNeeded || list.isInModel(contentOf(token))) list.addSpecial(token);
  }
  for (const token of [...Object.values(own), ...extra]) list.addSpecial(token);
  // The class's tokens, which already have ids.
  for (const token of [...Object.values(names), ...Object.values(ownNames)]) {
    if (token !== null && list.isInModel(token)) list.addSpecial(token);
  }

  const end =
    names.eos_token === undefined && endIds.length === 1 ? list.contentOf(endIds[0]!) : null;
  if (end !== null) list.addSpecial(end);
  return { addedTokens: list.tokens, names, ownNames, extra: extra.map(contentOf), end };
}

const contentOf = (token: NamedToken): string =>
  typeof token === 'string' ? token : token.content;

const isStandard = (name: string): boolean =>
  (namedTokenFields as readonly string[]).includes(name);

/** If a class names no pad token, the token that tokenizer.json pads with is used. */
function withPadding(defaults: ClassTokens, json: Record<string, unknown>): ClassTokens {
  const padding = json.padding as { pad_token?: unknown } | null | undefined;
  return typeof padding?.pad_token === 'string'
    ? { pad_token: padding.pad_token, ...defaults }
    : defaults;
}

/**
 * Tokens with names other than the standard ones. If tokenizer_config.json has any, they replace
 * its own list.
 */
function ownNamed(config: TokenFields, map: TokenFields): Record<string, NamedToken> {
  const tokensOf = (fields: TokenFields, isToken: (value: unknown) => boolean) =>
    Object.fromEntries(
      Object.entries(fields).filter(
        ([name, value]) => name.endsWith('_token') && !isStandard(name) && isToken(value),
      ),
    ) as Record<string, NamedToken>;
  const isText = (value: unknown): boolean => typeof value === 'string';
  const isObject = (value: unknown): boolean =>
    !isText(value) && namedToken.safeParse(value).success;
  const named = { ...tokensOf(config, isText), ...dictOf(config.extra_special_tokens) };
  const listed =
    Object.keys(named).length > 0 ? named : dictOf(config.model_specific_special_tokens);
  const hasMark = (value: unknown): boolean =>
    isObject(value) && (value as { __type?: unknown }).__type === 'AddedToken';
  return {
    ...tokensOf(config, hasMark),
    ...tokensOf(map, (value) => isText(value) || isObject(value)),
    ...listed,
    ...dictOf(map.extra_special_tokens),
  };
}

const dictOf = (tokens: TokenFields['extra_special_tokens']): Record<string, NamedToken> =>
  Array.isArray(tokens) ? {} : (tokens ?? {});

function extraOf(config: TokenFields, map: TokenFields): NamedToken[] {
  const asList = (tokens: TokenFields['extra_special_tokens']): NamedToken[] =>
    Array.isArray(tokens) ? tokens : [];
  const own = config.extra_special_tokens ?? config.additional_special_tokens;
  // An object names tokens: it does not list the ones without a name.
  const listed = Array.isArray(own) ? own : map.additional_special_tokens;
  return [...asList(listed), ...asList(map.extra_special_tokens)];
}

/**
 * Tokens of added_tokens.json, except for ids that tokenizer.json already gives to an added token.
 */
function legacyTokens(
  added: Record<string, number>,
  special: ReadonlySet<string>,
  list: AddedTokens,
): { id: number; token: TokenWithFlags }[] {
  return Object.entries(added)
    .filter(([, id]) => !list.hasId(id))
    .map(([content, id]) => {
      const isSpecial = special.has(content);
      return { id, token: { content, special: isSpecial, normalized: !isSpecial } };
    });
}

type TokenWithFlags = Exclude<NamedToken, string>;

class AddedTokens {
  readonly tokens: unknown[];
  readonly #vocab: unknown;
  readonly #places = new Map<unknown, number>();
  #pieces: Map<string, number> | null = null;

  constructor(json: Record<string, unknown>) {
    this.tokens = Array.isArray(json.added_tokens) ? [...json.added_tokens] : [];
    this.tokens.forEach((token, at) => {
      this.#places.set((token as Partial<AddedToken> | null)?.content, at);
    });
    this.#vocab = (json.model as { vocab?: unknown } | undefined)?.vocab;
  }

  hasId(id: number): boolean {
    return this.tokens.some((token) => (token as Partial<AddedToken> | null)?.id === id);
  }

  /** The token with an id; null if there is none. */
  contentOf(id: number): string | null {
    const added = this.tokens.find((token) => (token as Partial<AddedToken> | null)?.id === id);
    if (added !== undefined) return (added as AddedToken).content;
    if (Array.isArray(this.#vocab)) return this.#vocab[id]?.[0] ?? null;
    const pieces = Object.entries((this.#vocab as Record<string, number> | undefined) ?? {});
    return pieces.find(([, own]) => own === id)?.[0] ?? null;
  }

  isInModel(content: string): boolean {
    return this.#places.has(content) || this.#idInModel(content) !== null;
  }

  /** Sets a token's flags, or adds it. */
  set(token: TokenWithFlags, id: number): void {
    const { content, special = false } = token;
    const full = {
      id,
      content,
      single_word: token.single_word ?? false,
      lstrip: token.lstrip ?? false,
      rstrip: token.rstrip ?? false,
      normalized: token.normalized ?? !special,
      special,
    };
    const at = this.#places.get(content);
    if (at === undefined) {
      this.#places.set(content, this.tokens.length);
      this.tokens.push(full);
    } else {
      this.tokens[at] = { ...full, id: (this.tokens[at] as AddedToken).id };
    }
  }

  addSpecial(token: NamedToken): void {
    const content = contentOf(token);
    if (content === '' || this.#places.has(content)) return;
    const own = typeof token === 'string' ? { content } : token;
    this.set({ ...own, special: true }, this.#idInModel(content) ?? this.#nextId());
  }

  #idInModel(content: string): number | null {
    if (Array.isArray(this.#vocab)) {
      this.#pieces ??= new Map(this.#vocab.map((pair, id) => [pair?.[0], id]));
      return this.#pieces.get(content) ?? null;
    }
    if (typeof this.#vocab !== 'object' || this.#vocab === null) return null;
    return Object.hasOwn(this.#vocab, content)
      ? (this.#vocab as Record<string, number>)[content]!
      : null;
  }

  /** The id that the library would give a new token. */
  #nextId(): number {
    const size = Object.keys((this.#vocab as object | undefined) ?? {}).length;
    const largest = this.tokens.reduce<number>(
      (most, token) => Math.max(most, (token as Partial<AddedToken> | null)?.id ?? -1),
      -1,
    );
    return Math.max(size, largest + 1);
  }
}
