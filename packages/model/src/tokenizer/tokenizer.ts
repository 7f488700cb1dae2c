import { createHash } from 'node:crypto';
import { exactJson, parseExactJson } from '../json/exact-json.ts';
import { type ChatMessage, ChatTemplate, type RenderOptions } from './chat-template.ts';
import { type AddedTokenForm, encodePieces } from './encode-pieces.ts';
import { namedTokenFields } from './named-tokens.ts';
import { RustTokenizer } from './rust-tokenizer.ts';
import { createStreamDecoder, type StreamDecoder } from './stream-decoder.ts';
import type { TemplateSettings } from './template-settings.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { type TokenizerFiles, writeTokenizerFiles } from './tokenizer-files.ts';
import { checkTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';

/** The fields of a tokenizer_config.json that Keel reads; others are preserved. */
export interface TokenizerConfig {
  bos_token?: string | null;
  eos_token?: string | null;
  pad_token?: string | null;
  unk_token?: string | null;
  sep_token?: string | null;
  cls_token?: string | null;
  mask_token?: string | null;
  additional_special_tokens?: string[];
  /** Tokens with model-specific names, such as `image_token`. */
  model_specific_special_tokens?: Record<string, string>;
  [key: string]: unknown;
}

export interface TokenizerParts {
  /** The source of all this, for messages. */
  source: string;
  /** The contents of a tokenizer.json, unchecked. */
  json: unknown;
  config: TokenizerConfig;
  /** Chat template sources by name, such as `default` and `tool_use`. */
  chatTemplates?: Record<string, string>;
  /** The files that it was read from, which are saved unchanged. */
  files?: TokenizerFiles;
  /** Variables and clock of the chat template. */
  template?: TemplateSettings;
  /** Ids that end generation in addition to the eos token. */
  endOfTurnIds?: readonly number[];
  /** The eos token if the configuration names none. Chat templates do not see it. */
  endToken?: string | null;
}

export interface DecodeOptions {
  skipSpecialTokens?: boolean;
}

// Tokens with which model families end a turn, if their eos token only ends a document.
const turnEnders = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|end|>', '<end_of_turn>'];

/** Text to token ids and back, exactly as the model's own tokenizer does. */
export class Tokenizer {
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly padTokenId: number | null;
  /** Ids that `skipSpecialTokens` omits. */
  readonly specialTokenIds: ReadonlySet<number>;
  /**
   * Ids that end generation: eos, the end of the turn, and those in the model's generation
   * configuration.
   */
  readonly endOfTurnIds: ReadonlySet<number>;
  /** One more than the largest id. A model's embedding may have more rows. */
  readonly vocabSize: number;
  readonly chatTemplate: ChatTemplate | null;
  /**
   * SHA-256, in hex, of everything that affects ids and chat texts: equal hashes give equal tokens.
   */
  readonly hash: string;
  readonly #parts: TokenizerParts;
  readonly #json: TokenizerJson;
  readonly #library: RustTokenizer;
  readonly #addedTokens: ReadonlyMap<number, AddedTokenForm>;

  /** @throws TokenizerError if the parts are damaged or contradict each other. */
  constructor(parts: TokenizerParts) {
    const { source, config, chatTemplates = {} } = parts;
    this.#parts = parts;
    this.#json = checkTokenizerJson(parts.json, source);
    const text = stringify(this.#json, source);
    this.#library = new RustTokenizer(this.#json, text, source);
    this.#addedTokens = this.#findAddedTokens();
    this.bosTokenId = this.#idOf('bos_token');
    this.eosTokenId = this.#idOf('eos_token') ?? this.#endTokenId();
    this.padTokenId = this.#idOf('pad_token');
    this.vocabSize = this.#library.vocabulary.size;
    this.specialTokenIds = this.#findSpecialIds();
    this.endOfTurnIds = this.#findEndIds();
    // The template is in another file of the same folder.
    const settings = { ...parts.template, source: source.replace(/[/\\]tokenizer\.json$/, '') };
    this.chatTemplate =
      Object.keys(chatTemplates).length === 0
        ? null
        : new ChatTemplate(chatTemplates, namedTokens(config), settings);
    this.hash = createHash('sha256')
      .update(text)
      .update(exactJson([namedTokens(config), this.eosTokenId, this.#templateIdentity()]))
      .digest('hex');
  }

  /**
   * Token ids of `text`. Special tokens written out in it become their ids. Half of a surrogate
   * pair becomes U+FFFD.
   * @param options.addSpecialTokens whether to start with the tokens that the tokenizer puts before
   *   a text (bos). Tokens that it puts after a text (eos) are never added, because the text may
   *   continue.
   * @throws TokenizerError if the vocabulary has no token for the text, and none for unknown text
   */
  encode(text: string, { addSpecialTokens = false } = {}): number[] {
    const prefix = addSpecialTokens ? this.#library.prefix : [];
    if (text === '') return [...prefix];
    const [ids] = this.#library.encode([text.toWellFormed()]) as [number[]];
    return prefix.length === 0 ? ids : [...prefix, ...ids];
  }

  /**
   * Token ids of a text in pieces, where each token belongs to the piece that contains its text:
   * the ids of the whole text, split at the borders. The first piece (a prompt) has exactly the ids
   * that {@link encode} gives it, so that an answer is trained on after the same ids that it is
   * sampled from. If a token would cross a border, the text is cut there, and the rest is encoded
   * as a continuation, with no space before it.
   *
   * An added token that absorbs the white space next to it belongs to the piece that contains its
   * own text.
   * @param options.addSpecialTokens whether the first piece starts with the tokens that the
   *   tokenizer puts before a text (bos)
   * @returns one list for each piece, empty for an empty one
   * @throws TokenizerError as {@link encode}
   */
  encodePieces(pieces: readonly string[], { addSpecialTokens = false } = {}): number[][] {
    const library = this.#library;
    const found = encodePieces(
      {
        place: (texts, position) => library.place(texts, position),
        prefixesTexts: library.prefixesTexts,
        addedTokens: this.#addedTokens,
        normalize: (text) => library.normalize(text),
      },
      pieces.map((piece) => piece.toWellFormed()),
    );
    if (addSpecialTokens) found[0]?.unshift(...library.prefix);
    return found;
  }

  /** Text of `ids`, without clean-up. As in the Rust library, ids without a token give no text. */
  decode(ids: readonly number[], { skipSpecialTokens = false }: DecodeOptions = {}): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.idToToken(id);
      if (token !== null && !(skipSpecialTokens && this.specialTokenIds.has(id))) {
        tokens.push(token);
      }
    }
    return tokens.length === 0 ? '' : this.#library.decode(tokens);
  }

  /** Decodes ids one at a time, and never returns part of a character. */
  streamDecoder(options: DecodeOptions = {}): StreamDecoder {
    return createStreamDecoder((ids) => this.decode(ids, options));
  }

  /** Id of a token by its exact text in the vocabulary, or null. */
  tokenToId(token: string): number | null {
    return this.#library.vocabulary.idOf(token);
  }

  /** Text of a token in the vocabulary (byte-level tokens in their own alphabet), or null. */
  idToToken(id: number): string | null {
    return this.#library.vocabulary.tokenOf(id);
  }

  /**
   * Writes tokenizer.json, tokenizer_config.json and, if there is one, chat_template.jinja in
   * transformers' format. For a tokenizer from a folder, all its files are written unchanged.
   * @param padTokenId replaces the tokenizer's own pad token in the files
   */
  save(folder: string, { padTokenId = null }: { padTokenId?: number | null } = {}): void {
    const { config, chatTemplates = {}, files = { texts: {}, copies: [] } } = this.#parts;
    const padToken = padTokenId === null ? null : this.idToToken(padTokenId);
    writeTokenizerFiles(folder, { files, json: this.#json, config, chatTemplates, padToken });
  }

  /** The contents of its tokenizer.json. */
  get json(): Readonly<TokenizerJson> {
    return this.#json;
  }

  /** The tokens with a name, such as `eos_token`, as chat templates see them. */
  get namedTokens(): Readonly<Record<string, string>> {
    return namedTokens(this.#parts.config);
  }

  /**
   * Everything that defines it, including the chat template's clock, as text. Other threads rebuild
   * the tokenizer from it.
   */
  definition(): string {
    const { template, ...parts } = this.#parts;
    // Template variables keep the form of their numbers; the vocabulary has none that JSON would
    // change.
    const settings = { variables: template?.variables, now: this.chatTemplate?.now };
    return JSON.stringify({ ...parts, json: this.#json, exactTemplate: exactJson(settings) });
  }

  /** The tokenizer of a {@link definition}. */
  static fromDefinition(definition: string): Tokenizer {
    const { exactTemplate, ...parts } = JSON.parse(definition) as TokenizerParts & {
      exactTemplate: string;
    };
    return new Tokenizer({ ...parts, template: parseExactJson(exactTemplate) as TemplateSettings });
  }

  /**
   * Everything that rendered chats depend on besides the conversation. Covers only what templates
   * can read from the clock.
   */
  #templateIdentity(): unknown {
    if (this.chatTemplate === null) return null;
    const { sources, clockReadings } = this.chatTemplate;
    const named = Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1));
    return [named, this.#parts.template?.variables ?? {}, clockReadings];
  }

  #idOf(name: 'bos_token' | 'eos_token' | 'pad_token'): number | null {
    const token = this.#parts.config[name];
    if (token === undefined || token === null) return null;
    const id = this.tokenToId(token);
    if (id !== null) return id;
    throw new TokenizerError(
      this.#parts.source,
      `its ${name} is ${JSON.stringify(token)}, which is not in the vocabulary`,
    );
  }

  #endTokenId(): number | null {
    const { endToken } = this.#parts;
    return endToken === undefined || endToken === null ? null : this.tokenToId(endToken);
  }

  #findSpecialIds(): Set<number> {
    const { config } = this.#parts;
    const named = [
      ...Object.values(namedTokens(config)),
      ...(config.additional_special_tokens ?? []),
      ...this.#json.added_tokens.filter(({ special }) => special).map(({ content }) => content),
    ];
    const ids = named.map((token) => this.tokenToId(token)).filter((id) => id !== null);
    return new Set(ids.sort((a, b) => a - b));
  }

  #findAddedTokens(): Map<number, AddedTokenForm> {
    const tokens = new Map<number, AddedTokenForm>();
    for (const { content, normalized, lstrip, rstrip } of this.#json.added_tokens) {
      const id = this.tokenToId(content);
      if (id === null) continue;
      tokens.set(id, {
        content,
        normalized: normalized === true,
        lstrip: lstrip === true,
        rstrip: rstrip === true,
      });
    }
    return tokens;
  }

  #findEndIds(): Set<number> {
    const special = turnEnders
      .map((token) => this.tokenToId(token))
      .filter((id) => id !== null && this.specialTokenIds.has(id));
    const ids = [this.eosTokenId, ...(this.#parts.endOfTurnIds ?? []), ...special];
    return new Set(ids.filter((id) => id !== null));
  }
}

/** As in transformers' special_tokens_map: the standard names, then the model-specific ones. */
function namedTokens(config: TokenizerConfig): Record<string, string> {
  const own = Object.keys(config).filter(
    (name) => name.endsWith('_token') && !(namedTokenFields as readonly string[]).includes(name),
  );
  const named = [...namedTokenFields, ...own]
    .map((name) => [name, config[name]] as const)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { ...Object.fromEntries(named), ...config.model_specific_special_tokens };
}

const stringify = (json: TokenizerJson, where: string): string => {
  try {
    return JSON.stringify(json);
  } catch (cause) {
    throw new TokenizerError(where, 'is nested too deeply', { cause });
  }
};

export interface RenderedConversation {
  text: string;
  ids: number[];
}

/**
 * Renders a conversation to text with the tokenizer's own chat template, and to ids. @throws
 * ChatTemplateError, TokenizerError
 */
export const renderConversation = (
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: RenderOptions = {},
): RenderedConversation => {
  if (!tokenizer.chatTemplate) {
    throw new TokenizerError(
      'The tokenizer',
      'has no chat template, so conversations cannot be rendered; use plain text, or a chat model',
    );
  }
  const text = tokenizer.chatTemplate.render(messages, options);
  // The template writes bos itself if the model needs it.
  return { text, ids: tokenizer.encode(text) };
};
