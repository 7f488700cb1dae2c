import { TemplateSyntaxError } from '../jinja/errors.ts';
import { fromJs } from '../jinja/from-js.ts';
import { LocalTime } from '../jinja/strftime.ts';
import { Template, TemplateFailure } from '../jinja/template.ts';
import { type Run, type Text, textOf } from '../jinja/text.ts';
import { Dict, List, type Value } from '../jinja/values.ts';

/** One turn of a conversation. Other fields (`name`, `tool_calls`, …) reach the template as they are. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

export interface RenderOptions {
  addGenerationPrompt?: boolean;
  continueFinalMessage?: boolean;
  tools?: unknown[] | null;
  variables?: Record<string, unknown>;
}

export interface ContentSpan {
  message: number;
  field: string;
  start: number;
  end: number;
}

export interface RenderedChat {
  text: string;
  spans: ContentSpan[];
  generation: { start: number; end: number }[] | null;
}

export class ChatTemplateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ChatTemplateError';
  }
}

export interface ChatTemplateSettings {
  variables?: Record<string, unknown>;
  now?: string;
}

export class ChatTemplate {
  readonly source: string;
  readonly #specialTokens: Record<string, string>;
  readonly #settings: ChatTemplateSettings;
  readonly #named: ReadonlyMap<string, Template>;
  readonly #time: LocalTime;

  constructor(
    sources: string | Readonly<Record<string, string>>,
    specialTokens: Record<string, string> = {},
    settings: ChatTemplateSettings = {},
  ) {
    const named = typeof sources === 'string' ? { default: sources } : sources;
    this.source = named.default ?? '';
    this.#settings = settings;
    this.#specialTokens = specialTokens;
    this.#time = settings.now === undefined ? LocalTime.now() : LocalTime.parse(settings.now);
    this.#named = new Map(Object.entries(named).map(([name, source]) => [name, compile(source)]));
  }

  get usesClock(): boolean {
    return [...this.#named.values()].some(({ clockFormats }) => clockFormats.length > 0);
  }

  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    return this.renderWithSpans(messages, options).text;
  }

  renderWithSpans(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedChat {
    const { addGenerationPrompt = false, continueFinalMessage = false, tools, variables } = options;
    checkMessages(messages);
    if (addGenerationPrompt && continueFinalMessage) {
      throw new ChatTemplateError(
        'addGenerationPrompt and continueFinalMessage exclude each other',
      );
    }
    const template = this.#choose(tools ?? null);
    const given: Record<string, Value> = {};
    for (const [name, value] of Object.entries({
      ...this.#specialTokens,
      ...this.#settings.variables,
    }))
      given[name] = fromJs(value);
    given.messages = new List(messages.map((message, index) => messageValue(message, index)));
    given.tools = fromJs(tools ?? null);
    given.documents = null;
    given.add_generation_prompt = addGenerationPrompt;
    for (const [name, value] of Object.entries(variables ?? {})) given[name] = fromJs(value);
    let text: Text;
    try {
      text = template.render(Object.entries(given), this.#time);
    } catch (cause) {
      if (!(cause instanceof TemplateFailure)) throw cause;
      const roles = messages.map(({ role }) => role).join(', ');
      throw new ChatTemplateError(
        `The chat template refused messages with the roles ${roles}: ${cause.message} (line ${cause.place.line} of the template: ${cause.place.text.trim()})`,
        { cause },
      );
    }
    const runs = typeof text === 'string' ? [] : text.runs;
    const found: RenderedChat = {
      text: textOf(text),
      spans: spansOf(runs),
      generation: template.hasGenerationBlocks ? generationsOf(runs) : null,
    };
    return continueFinalMessage ? cut(found, messages.length - 1, messages.at(-1)!.role) : found;
  }

  #choose(tools: unknown[] | null): Template {
    const template = (tools !== null && this.#named.get('tool_use')) || this.#named.get('default');
    if (template) return template;
    throw new ChatTemplateError(
      `The model has several chat templates (${[...this.#named.keys()].join(', ')}) and no default`,
    );
  }
}

const messageValue = (message: ChatMessage, index: number): Value =>
  new Dict(
    Object.entries(message)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [
        field,
        fromJs(value, field === 'role' ? null : { message: index, field, generation: 0 }),
      ]),
  );

const spansOf = (runs: readonly Run[]): ContentSpan[] =>
  runs.flatMap(({ start, end, origin }) =>
    origin.message < 0 ? [] : [{ message: origin.message, field: origin.field, start, end }],
  );

const generationsOf = (runs: readonly Run[]): { start: number; end: number }[] => {
  const found = new Map<number, { start: number; end: number }>();
  for (const { start, end, origin } of runs) {
    if (origin.generation === 0) continue;
    const known = found.get(origin.generation);
    if (known) known.end = Math.max(known.end, end);
    else found.set(origin.generation, { start, end });
  }
  return [...found.values()];
};

const cut = (
  { text, spans, generation }: RenderedChat,
  message: number,
  role: string,
): RenderedChat => {
  const last = spans.findLast((span) => span.message === message && span.field === 'content');
  if (last === undefined) {
    throw new ChatTemplateError(
      `The last message (${role}) cannot be continued: its text does not appear in what the template makes of it`,
    );
  }
  return {
    text: text.slice(0, last.end),
    spans: spans.filter(({ end }) => end <= last.end),
    generation,
  };
};

const compile = (source: string): Template => {
  try {
    return new Template(source);
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError)) throw cause;
    throw new ChatTemplateError(`The chat template cannot be used: ${cause.message}`, { cause });
  }
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
