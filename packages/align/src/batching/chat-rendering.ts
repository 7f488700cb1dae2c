// The only module that passes a row to the chat template: its messages, tools and variables.
import {
  type ChatTemplate,
  ChatTemplateError,
  type ContentSpan,
  pythonRepr,
  type RenderedChat,
  type Tokenizer,
} from '@keel/model';
import { exactJson, jsonTextOf } from '@keel/model/exact-json';
import { isEmpty, isNoValue } from '../data/is-empty.ts';
import type { Message } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import { argumentsOf, asJsonText } from '../data/tool-calls.ts';

/** A conversation, with the inputs for rendering it. */
export interface Chat {
  tokenizer: Pick<Tokenizer, 'chatTemplate' | 'endOfTurnIds' | 'tokenToId'>;
  messages: readonly Message[];
  rendering: Rendering | undefined;
}

/** How a rendered chat ends. */
export type ChatEnd =
  /** After its last message. */
  | 'whole'
  /** After the header of an answer (the generation prompt). */
  | 'header'
  /**
   * Where the model speaks next: within the last message if that is the assistant's, otherwise
   * after the header of an answer.
   */
  | 'prompt';

/**
 * Renders messages with the model's template, which gets the arguments of tool calls as objects. If
 * it rejects them or prints them as Python would, it expects text: it gets the JSON text of the
 * file, if there is one.
 * @param rendering the row's tools and variables
 * @throws ChatTemplateError if the template rejects the messages, or does not render the row's
 *   tools
 * @throws Error if the model has no chat template
 */
export function renderChat(
  tokenizer: Pick<Tokenizer, 'chatTemplate'>,
  messages: readonly Message[],
  rendering: Rendering | undefined,
  end: ChatEnd,
): RenderedChat {
  const template = chatTemplateOf(tokenizer);
  const { tools = null, variables = {} } = rendering ?? {};
  const continues = end === 'prompt' && messages.at(-1)?.role === 'assistant';
  const how = {
    variables,
    addGenerationPrompt: end !== 'whole' && !continues,
    continueFinalMessage: continues,
  };
  const [found, given] = renderCalls(template, messages, { ...how, tools });
  if (tools !== null && found.text === withoutTools(template, given, how)) {
    throw new ChatTemplateError(
      'The row has "tools", but the chat template does not render them, so the model would not see them. ' +
        'Use a model whose template supports tools, pass another template with --chat-template, or remove the column.',
    );
  }
  checkToolFields(messages, found.text, (bare) =>
    tryRender(template, given === messages ? bare : bare.map((one) => asJsonText(one)), {
      ...how,
      tools,
    }),
  );
  return found;
}

/**
 * Fields in which some messages describe or call tools, and what most templates read instead. The
 * templates of a few models read these.
 */
const toolFields = {
  tools: 'Write them in the column "tools" of the row',
  functions: 'Write them in the column "tools" of the row',
  tool_call: 'Write the call in "tool_calls"',
  function_calls: 'Write the calls in "tool_calls"',
} as const;

/** @throws ChatTemplateError if the template writes nothing of such a field */
function checkToolFields(
  messages: readonly Message[],
  text: string,
  render: (messages: readonly Message[]) => RenderedChat | null,
): void {
  for (const [name, advice] of Object.entries(toolFields)) {
    const at = messages.findIndex(({ [name]: value }) => !isEmpty(value) && !isNoValue(value));
    if (at === -1) continue;
    const bare = messages.map(({ [name]: _, ...others }) => others as Message);
    if (render(bare)?.text !== text) continue;
    throw new ChatTemplateError(
      `The ${messages[at]!.role} message ${at + 1} has "${name}", but the chat template does not render it, so the model would not see it. ` +
        `${advice}, use a model whose template reads "${name}", or remove the field.`,
    );
  }
}

type RenderHow = Parameters<ChatTemplate['render']>[1];

/** The rendered messages, and what the template was given: arguments as objects or as text. */
function renderCalls(
  template: ChatTemplate,
  messages: readonly Message[],
  how: RenderHow,
): [RenderedChat, readonly Message[]] {
  const written = messages.flatMap(argumentsOf).flatMap((args) => {
    const text = jsonTextOf(args);
    return text === undefined ? [] : [{ text, repr: pythonRepr(args) }];
  });
  const texts = messages.map((message) => asJsonText(message));
  let found: RenderedChat;
  try {
    found = template.renderWithSpans(messages, how);
  } catch (error) {
    if (!(error instanceof ChatTemplateError)) throw error;
    const asText = tryRender(template, texts, how);
    if (asText !== null) return [asText, texts];
    throw withAdvice(error, template, messages, how);
  }
  if (!written.some(({ repr }) => found.text.includes(repr))) return [found, messages];
  const asText = tryRender(template, texts, how);
  let printed = found.text;
  for (const { repr, text } of written) printed = printed.replaceAll(repr, () => text);
  return asText?.text === printed ? [asText, texts] : [found, messages];
}

/** The error, with advice if the template accepts arguments of tool calls as text only. */
function withAdvice(
  error: ChatTemplateError,
  template: ChatTemplate,
  messages: readonly Message[],
  how: RenderHow,
): ChatTemplateError {
  if (!messages.some((message) => argumentsOf(message).length > 0)) return error;
  const texts = messages.map((message) => asJsonText(message, (args) => exactJson(args)));
  if (tryRender(template, texts, how) === null) return error;
  return new ChatTemplateError(
    `${error.message}\nThe template accepts the arguments of tool calls as JSON text: write all of them as text, such as "arguments": "{\\"city\\": \\"Paris\\"}"`,
    { cause: error },
  );
}

/** null if the template rejects the messages. */
function tryRender(
  template: ChatTemplate,
  messages: readonly Message[],
  how: RenderHow,
): RenderedChat | null {
  try {
    return template.renderWithSpans(messages, how);
  } catch (error) {
    if (error instanceof ChatTemplateError) return null;
    throw error;
  }
}

/** The messages rendered without their tools; null if the template rejects them. */
function withoutTools(
  template: ChatTemplate,
  messages: readonly Message[],
  how: RenderHow,
): string | null {
  return tryRender(template, messages, how)?.text ?? null;
}

/** @throws Error if the model has no chat template */
export function chatTemplateOf({ chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): ChatTemplate {
  if (chatTemplate === null) {
    throw new Error(
      'the row is a chat, but the model has no chat template: use a chat model, or rows of plain strings',
    );
  }
  return chatTemplate;
}

/**
 * Where the same text of a message up to `last` ends in both renderings, or their starts if they
 * share none.
 * @param part a rendering of fewer messages. Its last text is searched for in the whole, which may
 *   repeat a message later, as a tool result repeats the name of the called function
 */
export function commonEnd(
  whole: Pick<RenderedChat, 'text' | 'spans'>,
  part: Pick<RenderedChat, 'text' | 'spans'>,
  last: number,
): { a: number; b: number } {
  for (let message = last; message >= 0; message--) {
    const inPart = spansOf(part, message);
    const inWhole = spansOf(whole, message);
    const end = inPart.at(-1);
    if (end === undefined || inWhole.length === 0) continue;
    const text = part.text.slice(end.start, end.end);
    const same = inWhole.filter(
      (one) => one.field === end.field && whole.text.slice(one.start, one.end) === text,
    );
    // A message may occur more than once: choose the place after which both agree for the longest,
    // and of equally good ones the place with the same number, as calls may end alike.
    const places = same.length > 0 ? same : inWhole;
    const shared = places.map((one) => sharedLength(whole.text, one.end, part.text, end.end));
    const most = Math.max(...shared);
    const number = inPart.filter(
      (one) => one.field === end.field && part.text.slice(one.start, one.end) === text,
    ).length;
    const at = shared[number - 1] === most ? number - 1 : shared.indexOf(most);
    return { a: places[at]!.end, b: end.end };
  }
  return { a: 0, b: 0 };
}

const spansOf = ({ spans }: Pick<RenderedChat, 'spans'>, message: number): ContentSpan[] =>
  spans.filter((span) => span.message === message);

/** Where the last text of a message ends; null if the template omits all of it. */
export function endOf(spans: readonly ContentSpan[], message: number): number | null {
  return spans.findLast((span) => span.message === message)?.end ?? null;
}

/**
 * Where the first text of a message at or after `from` starts; null if the template writes none of
 * it there.
 */
export function startOf(
  spans: readonly ContentSpan[],
  message: number,
  from: number,
): number | null {
  return spans.find((span) => span.message === message && span.start >= from)?.start ?? null;
}

/**
 * {@link sharedLength}, but never to the middle of a tag: `<|end|>` and `<|user|>` share nothing,
 * nor do `[END]` and `[INST]`.
 */
export function sharedTags(a: string, fromA: number, b: string, fromB: number): number {
  const shared = sharedLength(a, fromA, b, fromB);
  const open = /[<[][^<>[\]\s]*$/.exec(a.slice(fromA, fromA + shared));
  const continues = a[fromA + shared] !== undefined || b[fromB + shared] !== undefined;
  return continues && open !== null ? open.index : shared;
}

/** The number of characters that two texts share from these positions. */
export function sharedLength(a: string, fromA: number, b: string, fromB: number): number {
  const most = Math.min(a.length - fromA, b.length - fromB);
  let shared = 0;
  while (shared < most && a.charCodeAt(fromA + shared) === b.charCodeAt(fromB + shared)) shared++;
  return shared;
}
