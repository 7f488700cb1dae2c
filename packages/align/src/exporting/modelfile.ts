// ollama's Modelfile: https://docs.ollama.com/modelfile
import type { Tokenizer } from '@keel/model';
import { type Around, type ChatFormat, chatFormatOf } from './chat-format.ts';

export interface ModelfileParts {
  /** The weights, as FROM names them: a file next to the Modelfile, or a path. */
  from: string;
  /** An adapter's file, next to the Modelfile. */
  adapter?: string;
  tokenizer: Tokenizer;
}

export interface Modelfile {
  text: string;
  /** Whether it has a TEMPLATE. Without one, ollama recognises the templates that it knows. */
  hasTemplate: boolean;
}

export function modelfile({ from, adapter, tokenizer }: ModelfileParts): Modelfile {
  const template = goTemplate(tokenizer);
  const stops = [...tokenizer.endOfTurnIds]
    .map((id) => tokenizer.idToToken(id))
    .filter((token) => token !== null && token !== '');
  const lines = [
    `FROM ${quotedIfNeeded(from)}`,
    ...(adapter === undefined ? [] : [`ADAPTER ${quotedIfNeeded(adapter)}`]),
    ...(template === null ? [] : [`TEMPLATE """${template}"""`]),
    ...stops.map((token) => `PARAMETER stop ${JSON.stringify(token)}`),
  ];
  return { text: `${lines.join('\n')}\n`, hasTemplate: template !== null };
}

const quotedIfNeeded = (path: string): string => (/\s/.test(path) ? JSON.stringify(path) : path);

/**
 * A Go template (https://pkg.go.dev/text/template) that gives the same texts as the tokenizer's
 * chat template; null if there is none, or its format is not one of fixed texts around messages.
 */
export function goTemplate(tokenizer: Tokenizer): string | null {
  const { chatTemplate, bosTokenId } = tokenizer;
  if (chatTemplate === null) return null;
  const bos = bosTokenId === null ? '' : (tokenizer.idToToken(bosTokenId) ?? '');
  const format = chatFormatOf(chatTemplate, bos);
  if (format === null) return null;
  const [first] = tokenizer.encode('', { addSpecialTokens: true });
  // ollama adds the token itself if the file says that the tokenizer does.
  const addsStart = first !== undefined && first === bosTokenId;
  const text = fromFormat(addsStart ? { ...format, start: '' } : format);
  return text.includes('"""') ? null : text;
}

function fromFormat(format: ChatFormat): string {
  const turn = ([before, after]: Around): string => `${go(before)}{{ $m.Content }}${go(after)}`;
  const [before, after] = format.assistant;
  return [
    go(format.start),
    '{{- range $i, $m := .Messages }}',
    '{{- $last := eq (len (slice $.Messages $i)) 1 }}',
    ...(format.withoutSystem === ''
      ? []
      : [`{{- if and (eq $i 0) (ne $m.Role "system") }}${go(format.withoutSystem)}{{ end }}`]),
    `{{- if eq $m.Role "system" }}${turn(format.system)}`,
    `{{- else if eq $m.Role "user" }}${turn(format.user)}`,
    `{{- else if eq $m.Role "assistant" }}${go(before)}{{ $m.Content }}{{ if not $last }}${go(after)}{{ end }}`,
    '{{- end }}',
    `{{- if and $last (ne $m.Role "assistant") }}${go(format.generation)}{{ end }}`,
    '{{- end }}',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** A text as an action, so that its white space and braces stand for themselves. */
const go = (text: string): string => (text === '' ? '' : `{{ ${JSON.stringify(text)} }}`);
