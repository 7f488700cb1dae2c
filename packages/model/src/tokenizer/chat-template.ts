import { TemplateSyntaxError } from '../jinja/errors.ts';
import { fromJs } from '../jinja/from-js.ts';
import { LocalTime, strftime } from '../jinja/strftime.ts';
import { placeIn, Template, TemplateFailure } from '../jinja/template.ts';
import { type Text, textOf } from '../jinja/text.ts';
import type { Value } from '../jinja/values.ts';
import type { ChatMessage } from './chat-message.ts';
import { ChatTemplateError, showPlace } from './chat-template-error.ts';
import { type FinalText, messageValues } from './conversation-values.ts';
import { endOfFinalText, finalTextOf } from './final-message.ts';
import { type ContentSpan, type GenerationSpan, generationSpans, spansOf } from './spans.ts';
import type { TemplateSettings } from './template-settings.ts';

export type { ChatMessage } from './chat-message.ts';
export { ChatTemplateError } from './chat-template-error.ts';
export type { ContentSpan, GenerationSpan } from './spans.ts';

/** What a chat is rendered with. */
export interface RenderOptions {
  /** End with the start of an assistant turn. */
  addGenerationPrompt?: boolean;
  /**
   * End right after the last message's content, or after the named field, so that the model
   * continues it.
   */
  continueFinalMessage?: boolean | string;
  /** Tool descriptions, as JSON schemas. */
  tools?: unknown[] | null;
  /** Further variables for the template, such as `enable_thinking` (chat_template_kwargs). */
  variables?: Record<string, unknown>;
}

/** A rendered conversation and the origin of its parts. Offsets are UTF-16 offsets into `text`. */
export interface RenderedChat {
  text: string;
  /** Where the messages' text is, in order. An empty span marks the position of empty text. */
  spans: ContentSpan[];
  /** The text inside {% generation %} blocks; null if the template has none. */
  generation: GenerationSpan[] | null;
}

export interface ChatTemplateOptions extends TemplateSettings {
  /** The template's source for messages, such as a path. */
  source?: string;
}

/** Names that transformers reads as its own arguments, not as template variables. */
const reserved = new Set([
  'add_generation_prompt',
  'chat_template',
  'continue_final_message',
  'conversation',
  'max_length',
  'messages',
  'padding',
  'return_assistant_tokens_mask',
  'return_dict',
  'return_tensors',
  'tokenize',
  'tokenizer_kwargs',
  'tools',
  'truncation',
]);

/**
 * A model's chat template or set of named templates, rendered exactly as in transformers. If the
 * set has `tool_use`, conversations with tools use it; all others use `default`.
 */
export class ChatTemplate {
  /** Template sources by name. */
  readonly sources: Readonly<Record<string, string>>;
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #specialTokens: Readonly<Record<string, string>>;
  /** Variables of every rendering; a conversation's own variables replace them. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly #time: LocalTime;

  /**
   * @param sources one source, or sources by name
   * @param specialTokens template variables such as `bos_token` and `eos_token`
   * @throws ChatTemplateError if a template cannot be compiled; the message has line and column
   * @throws RangeError if `now` is not a date and time
   */
  constructor(
    sources: string | Readonly<Record<string, string>>,
    specialTokens: Readonly<Record<string, string>> = {},
    { variables = {}, now, source }: ChatTemplateOptions = {},
  ) {
    this.sources = typeof sources === 'string' ? { default: sources } : sources;
    this.#specialTokens = specialTokens;
    checkVariables(variables);
    this.variables = variables;
    this.#time = now === undefined ? LocalTime.now() : LocalTime.parse(now);
    this.#templates = new Map(
      Object.entries(this.sources).map(([name, text]) => [name, compile(name, text, source)]),
    );
  }

  /** Whether a template uses strftime_now. */
  get usesClock(): boolean {
    return [...this.#templates.values()].some(({ clockFormats }) => clockFormats.length > 0);
  }

  /** The fixed clock as a local ISO date-time. */
  get now(): string {
    return this.#time.toString();
  }

  /** What the templates can read from the clock. Equal lists produce equal text. */
  get clockReadings(): string[] {
    const formats = [...this.#templates.values()].flatMap(({ clockFormats }) => clockFormats);
    return formats.map((format) => (format === null ? this.now : strftime(this.#time, format)));
  }

  /** @throws ChatTemplateError if the template rejects these messages */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    return this.renderWithSpans(messages, options).text;
  }

  /** @throws ChatTemplateError if the template rejects these messages */
  renderWithSpans(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedChat {
    const { addGenerationPrompt = false, continueFinalMessage = false, tools = null } = options;
    checkMessages(messages);
    checkTools(tools);
    if (addGenerationPrompt && continueFinalMessage !== false) {
      throw new ChatTemplateError(
        'addGenerationPrompt and continueFinalMessage cannot be combined: one starts a new turn, the other continues the last. Drop one',
      );
    }
    const variables = { ...this.variables, ...options.variables };
    checkVariables(variables);
    const name = this.#choose(tools);
    const field = continueFinalMessage === true ? 'content' : continueFinalMessage;
    const last = messages.at(-1)!;
    const final = field === false ? null : finalTextOf(last, field, this.sources[name]!);
    const template = this.#templates.get(name)!;
    const given = this.#given(messages, final, { tools, addGenerationPrompt, variables });
    const rendered = run(template, given, this.#time, messages);
    const { length } = textOf(rendered);
    const end = final === null ? length : endOfFinalText(rendered, final, last);
    return {
      text: textOf(rendered).slice(0, end),
      spans: spansOf(rendered, end),
      generation: template.hasGenerationBlocks ? generationSpans(rendered, end) : null,
    };
  }

  /** Selects the template for a conversation. */
  #choose(tools: unknown[] | null): string {
    if (tools !== null && this.#templates.has('tool_use')) return 'tool_use';
    if (this.#templates.has('default')) return 'default';
    const names = [...this.#templates.keys()].sort().join(', ');
    throw new ChatTemplateError(
      `The model has named chat templates (${names}) but no default. Rename one to "default"`,
    );
  }

  #given(
    messages: readonly ChatMessage[],
    final: FinalText | null,
    {
      tools,
      addGenerationPrompt,
      variables,
    }: {
      tools: unknown[] | null;
      addGenerationPrompt: boolean;
      variables: Record<string, unknown>;
    },
  ): [string, Value][] {
    const others = { ...this.#specialTokens, documents: null, ...variables };
    return [
      ...Object.entries(others).map(([name, value]) => [name, fromJs(value)] as [string, Value]),
      ['messages', messageValues(messages, final)],
      ['tools', fromJs(tools)],
      ['add_generation_prompt', addGenerationPrompt],
    ];
  }
}

const compile = (name: string, text: string, source: string | undefined): Template => {
  try {
    return new Template(text);
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError)) throw cause;
    const place = placeIn(text, cause.at);
    const which = name === 'default' ? 'The chat template' : `The chat template "${name}"`;
    const owner = source === undefined ? '' : ` of ${source}`;
    throw new ChatTemplateError(
      `${which}${owner} cannot be used: line ${place.line}, column ${place.column}: ${cause.message}${showPlace(place)}`,
      { cause },
    );
  }
};

const run = (
  template: Template,
  given: [string, Value][],
  time: LocalTime,
  messages: readonly ChatMessage[],
): Text => {
  try {
    return template.render(given, time);
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error;
    const { cause, place } = error;
    const roles = messages.map(({ role }) => role).join(', ');
    const where = `line ${place.line} of the template`;
    // A template's own message needs only its line.
    const message =
      cause.kind === 'TemplateError'
        ? `${cause.message} (${where})`
        : `${cause.kind === 'Unsupported' ? '' : `${cause.kind}: `}${cause.message} (${where}, column ${place.column})${showPlace(place)}`;
    throw new ChatTemplateError(
      `The chat template rejected a conversation with the roles ${roles}: ${message}`,
      { cause: error },
    );
  }
};

/** @throws ChatTemplateError if there are no messages, or one has no role */
export const checkMessages = (messages: readonly ChatMessage[]): void => {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new ChatTemplateError('A conversation needs at least one message');
  }
  messages.forEach((message, index) => {
    if (typeof message?.role !== 'string') {
      throw new ChatTemplateError(
        `Message ${index} has no role: expected {"role": "user", "content": "…"}`,
      );
    }
  });
};

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checkTools = (tools: unknown[] | null): void => {
  if (tools === null || (Array.isArray(tools) && tools.every(isRecord))) return;
  throw new ChatTemplateError('`tools` must be a list of JSON schema objects');
};

/** @throws ChatTemplateError for a variable that cannot be passed to the template */
const checkVariables = (variables: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(variables)) {
    if (reserved.has(name)) {
      throw new ChatTemplateError(
        `"${name}" cannot be a chat template variable: Keel sets it itself. Rename or remove it`,
      );
    }
    const isList = Array.isArray(value) && value.every(isRecord);
    if (name === 'documents' && value !== null && value !== undefined && !isList) {
      throw new ChatTemplateError(
        'The chat template variable "documents" must be a list of objects with "title" and "text"',
      );
    }
  }
};
