// How families write tool calls in their text.
import type { ChatTemplate } from '@keel/model';

export interface ToolCall {
  name: string;
  /** JSON text of an object. */
  arguments: string;
}

export interface ToolFormat {
  readonly name: 'hermes' | 'mistral' | 'llama3';
  /** Text with which calls begin. */
  readonly marks: readonly string[];
  /** Calls are all of the answer, or none of it. */
  readonly wholeAnswer: boolean;
  /** The marks are special tokens, which must not be skipped. */
  readonly specialMarks: boolean;
  /** The texts before and after the arguments of a call of a tool with this name, in JSON. */
  written(name: string): [before: string, after: string];
  /** @returns the calls, and the text that is none; null if the text is not in this format */
  parse(text: string): { calls: ToolCall[]; rest: string } | null;
}

/** `<tool_call>{"name": …, "arguments": …}</tool_call>`: Qwen, SmolLM3, Hermes. */
const hermes: ToolFormat = {
  name: 'hermes',
  marks: ['<tool_call>'],
  wholeAnswer: false,
  specialMarks: false,
  written: (name) => [`<tool_call>\n{"name": ${name}, "arguments": `, '}\n</tool_call>'],
  parse(text) {
    const calls: ToolCall[] = [];
    const block = /<tool_call>\s*([\s\S]*?)\s*(?:<\/tool_call>|$)/g;
    for (const [, body] of text.matchAll(block)) {
      const call = callOf(json(body!), 'arguments');
      if (call === null) return null;
      calls.push(call);
    }
    return calls.length === 0 ? null : { calls, rest: text.replace(block, '').trim() };
  },
};

/** `[TOOL_CALLS][{"name": …, "arguments": …}]`, or `[TOOL_CALLS]name[ARGS]{…}`: Mistral. */
const mistral: ToolFormat = {
  name: 'mistral',
  marks: ['[TOOL_CALLS]'],
  wholeAnswer: false,
  specialMarks: true,
  written: (name) => [`[TOOL_CALLS][{"name": ${name}, "arguments": `, '}]'],
  parse(text) {
    const parts = text.split('[TOOL_CALLS]').map((part) => part.trim());
    const rest = parts.shift()!;
    const calls = parts.flatMap((part): (ToolCall | null)[] => {
      const named = /^([\w.-]+)(?:\[CALL_ID\]\w+)?\[ARGS\]([\s\S]*)$/.exec(part);
      if (named !== null) {
        return [callOf({ name: named[1], arguments: json(named[2]!) }, 'arguments')];
      }
      const list = json(part);
      return Array.isArray(list) ? list.map((one) => callOf(one, 'arguments')) : [null];
    });
    return calls.length === 0 || calls.includes(null) ? null : { calls: calls as ToolCall[], rest };
  },
};

/** `{"name": …, "parameters": …}` as the whole answer, several joined by `;`: Llama 3.1 and 3.2. */
const llama3: ToolFormat = {
  name: 'llama3',
  marks: ['<|python_tag|>', '{'],
  wholeAnswer: true,
  specialMarks: true,
  written: (name) => [`{"name": ${name}, "parameters": `, '}'],
  parse(text) {
    const body = text.replace(/^\s*<\|python_tag\|>/, '').trim();
    const calls = splitObjects(body).map((part) => callOf(json(part), 'parameters'));
    return calls.length === 0 || calls.includes(null)
      ? null
      : { calls: calls as ToolCall[], rest: '' };
  },
};

/** The format that a template teaches its model; null if it is none of these. */
export function toolFormatOf({ sources }: ChatTemplate): ToolFormat | null {
  const source = sources.tool_use ?? sources.default ?? '';
  if (source.includes('[TOOL_CALLS]')) return mistral;
  if (source.includes('<tool_call>') && !source.includes('<function=')) return hermes;
  if (source.includes('"parameters"') && source.includes('<|eot_id|>')) return llama3;
  return null;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function callOf(value: unknown, field: 'arguments' | 'parameters'): ToolCall | null {
  if (typeof value !== 'object' || value === null) return null;
  const { name, [field]: given = {} } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof given !== 'object' || given === null) return null;
  return { name, arguments: JSON.stringify(given) };
}

/** The texts of JSON objects that follow each other, with `;` or white space between them. */
function splitObjects(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}', end + 1)) {
    const part = text.slice(start, end + 1);
    if (json(part) === undefined) continue;
    parts.push(part);
    start = end + 1;
    while (/[\s;]/.test(text[start] ?? '')) start += 1;
  }
  return start === text.length ? parts : [];
}
