import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { writeAside } from '../formats/write-aside.ts';
import { type ChatMessage, ChatTemplate, type RenderOptions } from './chat-template.ts';
import { keepByteOrderMarks, libraryForm } from './library-form.ts';
import { createStreamDecoder, type StreamDecoder } from './stream-decoder.ts';
import { fromPortable, type TemplateSettings, toPortable } from './template-settings.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { checkTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';

/** The fields of a tokenizer_config.json that Keel reads; the others are kept. */
export interface TokenizerConfig {
  bos_token?: string | null;
  eos_token?: string | null;
  pad_token?: string | null;
  unk_token?: string | null;
  sep_token?: string | null;
  cls_token?: string | null;
  mask_token?: string | null;
  additional_special_tokens?: string[];
  [key: string]: unknown;
}

export interface TokenizerParts {
  /** Where all this comes from, for messages. */
  source: string;
  /** The contents of a tokenizer.json, not yet checked. */
  json: unknown;
  config: TokenizerConfig;
  /** Chat template sources by name, such as `default` and `tool_use`. */
  chatTemplates?: Record<string, string>;
  /** Variables and clock of the chat template. */
  template?: TemplateSettings;
  /** Ids that end generation beside the eos token. */
  endOfTurnIds?: readonly number[];
}

export interface DecodeOptions {
  skipSpecialTokens?: boolean;
}

// Tokens by which model families end a turn where their eos token ends only a document.
const turnEnders = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|end|>', '<end_of_turn>'];

/** Text to token ids and back, exactly as the model's own tokenizer does. */
export class Tokenizer {
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly padTokenId: number | null;
  /** Ids that `skipSpecialTokens` leaves out. */
  readonly specialTokenIds: ReadonlySet<number>;
  /** Ids that end generation: eos, the turn's end, and what the model's generation configuration names. */
  readonly endOfTurnIds: ReadonlySet<number>;
  /** One more than the largest id. A model's embedding may have more rows. */
  readonly vocabSize: number;
  readonly chatTemplate: ChatTemplate | null;
  /** SHA-256, in hex, of all that defines ids and chat texts: equal hashes give equal tokens. */
  readonly hash: string;
  readonly #parts: TokenizerParts;
  readonly #json: TokenizerJson;
  readonly #library: LibraryTokenizer;

  /** @throws TokenizerError where the parts are damaged or contradict each other. */
  constructor(parts: TokenizerParts) {
    const { source, config, chatTemplates = {} } = parts;
    this.#parts = parts;
    this.#json = checkTokenizerJson(parts.json, source);
    try {
      this.#library = new LibraryTokenizer(libraryForm(this.#json, source), config);
      keepByteOrderMarks(this.#library.decoder);
    } catch (cause) {
      if (cause instanceof TokenizerError) throw cause;
      throw new TokenizerError(source, `cannot be used: ${(cause as Error).message}`, { cause });
    }
    this.bosTokenId = this.#idOf('bos_token');
    this.eosTokenId = this.#idOf('eos_token');
    this.padTokenId = this.#idOf('pad_token');
    this.vocabSize = largestId(this.#library) + 1;
    this.specialTokenIds = this.#findSpecialIds();
    this.endOfTurnIds = this.#findEndIds();
    const tokens = namedTokens(config);
    // The template is in another file of the same folder.
    const settings = { ...parts.template, source: source.replace(/[/\\]tokenizer\.json$/, '') };
    this.chatTemplate =
      Object.keys(chatTemplates).length === 0
        ? null
        : new ChatTemplate(chatTemplates, tokens, settings);
    this.hash = createHash('sha256')
      .update(JSON.stringify([this.#json, tokens, this.#templateIdentity()]))
      .digest('hex');
  }

  /** Token ids of `text`. Special tokens written out in it become their ids; `addSpecialTokens` adds bos and the like. */
  encode(text: string, { addSpecialTokens = false } = {}): number[] {
    if (text === '' && !addSpecialTokens) return [];
    return this.#library.encode(text.toWellFormed(), { add_special_tokens: addSpecialTokens }).ids;
  }

  /** Text of `ids`, nothing cleaned up. Ids that stand for no token give no text. */
  decode(ids: readonly number[], { skipSpecialTokens = false }: DecodeOptions = {}): string {
    const known = ids.filter(
      (id) =>
        this.#library.id_to_token(id) !== undefined &&
        !(skipSpecialTokens && this.specialTokenIds.has(id)),
    );
    if (known.length === 0) return '';
    return this.#library.decode(known, { clean_up_tokenization_spaces: false });
  }

  /** Decodes ids as they come, never half a character. */
  streamDecoder(options: DecodeOptions = {}): StreamDecoder {
    return createStreamDecoder((ids) => this.decode(ids, options));
  }

  /** Id of a token by its exact text in the vocabulary, or null. */
  tokenToId(token: string): number | null {
    return this.#library.token_to_id(token) ?? null;
  }

  /** Text of a token in the vocabulary (byte-level tokens in their own alphabet), or null. */
  idToToken(id: number): string | null {
    return this.#library.id_to_token(id) ?? null;
  }

  /**
   * Writes tokenizer.json, tokenizer_config.json and, where there is one, chat_template.jinja, as transformers loads
   * them.
   * @param padTokenId the pad token that they name in place of the tokenizer's own
   */
  save(folder: string, { padTokenId = null }: { padTokenId?: number | null } = {}): void {
    const write = (name: string, text: string): void =>
      writeAside(join(folder, name), (append) => append(new TextEncoder().encode(text)));
    write('tokenizer.json', JSON.stringify(this.#json, null, 2));
    const own = this.#parts.config;
    const pad = padTokenId === null ? null : this.idToToken(padTokenId);
    const config = pad === null ? own : { ...own, pad_token: pad };
    write('tokenizer_config.json', `${JSON.stringify(config, null, 2)}\n`);
    for (const [name, template] of Object.entries(this.#parts.chatTemplates ?? {})) {
      if (/[/\\]|^\.*$/.test(name)) {
        throw new TokenizerError(
          this.#parts.source,
          `has a chat template named "${name}", which is not a valid file name. Rename it`,
        );
      }
      const file = name === 'default' ? 'chat_template' : join('additional_chat_templates', name);
      write(`${file}.jinja`, template);
    }
  }

  /** Everything that defines it, including the chat template's clock, as text. Other threads rebuild the tokenizer from it. */
  definition(): string {
    const { variables } = this.#parts.template ?? {};
    const now = this.chatTemplate?.now;
    const template = { variables: toPortable(variables), now };
    return JSON.stringify({ ...this.#parts, json: this.#json, template });
  }

  /** The tokenizer of a {@link definition}. */
  static fromDefinition(definition: string): Tokenizer {
    const { template, ...parts } = JSON.parse(definition) as TokenizerParts;
    const variables = fromPortable(template?.variables) as Record<string, unknown> | undefined;
    return new Tokenizer({ ...parts, template: { ...template, variables } });
  }

  /** Everything that rendered chats depend on besides the conversation. Covers only what templates can read from the clock. */
  #templateIdentity(): unknown {
    if (this.chatTemplate === null) return null;
    const { sources, clockReadings } = this.chatTemplate;
    const named = Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1));
    return [named, toPortable(this.#parts.template?.variables ?? {}), clockReadings];
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

  #findSpecialIds(): Set<number> {
    const { config } = this.#parts;
    const named = [
      ...Object.values(namedTokens(config)),
      ...(config.additional_special_tokens ?? []),
    ];
    const ids = named.map((token) => this.tokenToId(token)).filter((id) => id !== null);
    const added = this.#json.added_tokens.filter(({ special }) => special).map(({ id }) => id);
    return new Set([...added, ...ids].sort((a, b) => a - b));
  }

  #findEndIds(): Set<number> {
    const special = turnEnders
      .map((token) => this.tokenToId(token))
      .filter((id) => id !== null && this.specialTokenIds.has(id));
    const ids = [this.eosTokenId, ...(this.#parts.endOfTurnIds ?? []), ...special];
    return new Set(ids.filter((id) => id !== null));
  }
}

/** Named special tokens, which chat templates can read. */
export const namedTokenFields = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

const namedTokens = (config: TokenizerConfig): Record<string, string> =>
  Object.fromEntries(
    namedTokenFields
      .map((name) => [name, config[name]] as const)
      .filter((entry): entry is [(typeof entry)[0], string] => typeof entry[1] === 'string'),
  );

const largestId = (library: LibraryTokenizer): number => {
  let largest = -1;
  for (const id of library.get_vocab().values()) largest = Math.max(largest, id);
  return largest;
};

export interface RenderedConversation {
  text: string;
  ids: number[];
}

/** A conversation as text by the tokenizer's own chat template, and as ids. @throws ChatTemplateError, TokenizerError */
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
  // The template writes bos itself where the model wants it.
  return { text, ids: tokenizer.encode(text) };
};
