import { Template } from '@huggingface/jinja';
import type { TemplateSettings } from './template-settings.ts';

/** One turn of a conversation. Other fields (`name`, `tool_calls`, …) reach the template as they are. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

export interface RenderOptions {
  /** Ends with what begins the assistant's turn. */
  addGenerationPrompt?: boolean;
  /** Ends right after the last message's content, so that it can be continued. */
  continueFinalMessage?: boolean;
  /** Tool descriptions, as JSON schemas. */
  tools?: unknown[] | null;
  /** Further variables for the template, such as `enable_thinking`. */
  extra?: Record<string, unknown>;
}

/** A chat template could not be parsed, or refused a conversation. */
export class ChatTemplateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ChatTemplateError';
  }
}

/** A model's own Jinja template, rendered with the variables and whitespace rules of transformers. */
export class ChatTemplate {
  readonly source: string;
  readonly #specialTokens: Record<string, string>;
  readonly #settings: TemplateSettings;
  #template: Template | null = null;

  /** `specialTokens` are template variables such as `bos_token` and `eos_token`. The source is parsed when first used. */
  constructor(
    source: string,
    specialTokens: Record<string, string> = {},
    settings: TemplateSettings = {},
  ) {
    this.source = source;
    this.#settings = settings;
    this.#specialTokens = specialTokens;
  }

  /** Whether the template prints the date or the time. */
  get usesClock(): boolean {
    return this.source.includes('strftime_now');
  }

  /** @throws ChatTemplateError where the template is broken or refuses these messages. */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    const { addGenerationPrompt = false, continueFinalMessage = false, tools, extra } = options;
    checkMessages(messages);
    if (addGenerationPrompt && continueFinalMessage) {
      throw new ChatTemplateError(
        'addGenerationPrompt and continueFinalMessage exclude each other: one begins a turn, the other goes on with one',
      );
    }
    const template = this.#parse();
    let text: string;
    try {
      text = template.render({
        ...this.#specialTokens,
        ...(this.#settings.now && { [CLOCK]: clockAt(this.#settings.now) }),
        ...this.#settings.variables,
        messages,
        tools: tools ?? null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
        ...extra,
      });
    } catch (cause) {
      const roles = messages.map(({ role }) => role).join(', ');
      throw new ChatTemplateError(
        `The chat template refused messages with the roles ${roles}: ${(cause as Error).message}`,
        { cause },
      );
    }
    return continueFinalMessage ? cutAfterFinal(text, messages.at(-1)!) : text;
  }

  #parse(): Template {
    if (this.#template) return this.#template;
    try {
      // The library has a function of its own, which cannot be replaced.
      const { now } = this.#settings;
      this.#template = new Template(
        now ? this.source.replaceAll('strftime_now', CLOCK) : this.source,
      );
    } catch (cause) {
      throw new ChatTemplateError(
        `The chat template cannot be parsed: ${(cause as Error).message}`,
        { cause },
      );
    }
    return this.#template;
  }
}

const CLOCK = 'keel_clock';

/** `strftime_now` of a fixed local date and time. */
const clockAt =
  (now: string) =>
  (format: string): string => {
    const date = new Date(now);
    const two = (value: number): string => String(value).padStart(2, '0');
    const named = (options: Intl.DateTimeFormatOptions): string =>
      date.toLocaleString('en-US', options);
    const parts: Record<string, () => string> = {
      Y: () => String(date.getFullYear()),
      m: () => two(date.getMonth() + 1),
      d: () => two(date.getDate()),
      H: () => two(date.getHours()),
      M: () => two(date.getMinutes()),
      S: () => two(date.getSeconds()),
      B: () => named({ month: 'long' }),
      b: () => named({ month: 'short' }),
      A: () => named({ weekday: 'long' }),
      a: () => named({ weekday: 'short' }),
      '%': () => '%',
    };
    return format.replace(/%(.)/g, (whole, letter: string) => parts[letter]?.() ?? whole);
  };

const checkMessages = (messages: readonly ChatMessage[]): void => {
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

// As transformers does: templates may trim a message, so its trimmed text is looked for.
const cutAfterFinal = (text: string, message: ChatMessage): string => {
  const { content } = message;
  const trimmed = typeof content === 'string' ? content.trim() : '';
  const at = trimmed === '' ? -1 : text.lastIndexOf(trimmed);
  if (at < 0) {
    throw new ChatTemplateError(
      `The last message (${message.role}) cannot be continued: its text does not appear in what the template makes of it`,
    );
  }
  // Spaces after the text stay where the template kept them.
  const kept = (content as string).trimStart();
  return text.slice(0, at + (text.startsWith(kept, at) ? kept.length : trimmed.length));
};

export interface PromptAndCompletion {
  prompt: string;
  completion: string;
}

/**
 * Renders a conversation in two parts whose border is exact, as TRL does: the prompt ends with what begins the
 * assistant's turn (or after the last words, where the prompt ends with an assistant's message to be continued), the
 * completion is all that follows.
 *
 * @throws ChatTemplateError where the template renders the prompt otherwise once the completion follows it, so that
 * no border exists.
 */
export const renderPromptAndCompletion = (
  template: ChatTemplate,
  promptMessages: readonly ChatMessage[],
  completionMessages: readonly ChatMessage[],
  options: Pick<RenderOptions, 'tools' | 'extra'> = {},
): PromptAndCompletion => {
  checkMessages(promptMessages);
  checkMessages(completionMessages);
  const { role } = promptMessages.at(-1)!;
  const answersNext = role === 'user' || role === 'tool';
  if (!answersNext && role !== 'assistant') {
    throw new ChatTemplateError(
      `A prompt must end with a message of user or tool, or of the assistant to be continued; it ends with ${role}`,
    );
  }
  const prompt = template.render(promptMessages, {
    ...options,
    addGenerationPrompt: answersNext,
    continueFinalMessage: !answersNext,
  });
  const whole = template.render([...promptMessages, ...completionMessages], options);
  if (!whole.startsWith(prompt)) {
    throw new ChatTemplateError(
      'The chat template renders the prompt otherwise once its completion follows, so that their border is lost.\n' +
        `The prompt alone:\n${prompt}\nWith its completion:\n${whole}`,
    );
  }
  return { prompt, completion: whole.slice(prompt.length) };
};
