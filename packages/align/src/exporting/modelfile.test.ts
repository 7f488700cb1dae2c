import { describe, expect, it } from 'vitest';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { goTemplate, modelfile } from './modelfile.ts';

describe('modelfile', () => {
  // Go 1.27's text/template gives the same texts from this as the chat template.
  it('translates the chat template, with a text that is not closed last', () => {
    expect(goTemplate(tinyChatTokenizer())).toBe(
      [
        '{{- range $i, $m := .Messages }}',
        '{{- $last := eq (len (slice $.Messages $i)) 1 }}',
        '{{- if eq $m.Role "system" }}{{ "<|user|>system\\n" }}{{ $m.Content }}{{ "<|end|>\\n" }}',
        '{{- else if eq $m.Role "user" }}{{ "<|user|>user\\n" }}{{ $m.Content }}{{ "<|end|>\\n" }}',
        '{{- else if eq $m.Role "assistant" }}{{ "<|user|>assistant\\n" }}{{ $m.Content }}{{ if not $last }}{{ "<|end|>\\n" }}{{ end }}',
        '{{- end }}',
        '{{- if and $last (ne $m.Role "assistant") }}{{ "<|user|>assistant\\n" }}{{ end }}',
        '{{- end }}',
      ].join('\n'),
    );
  });

  it('names weights, adapter and stops, and has no TEMPLATE that it cannot translate', () => {
    const tokenizer = tinyChatTokenizer("{{ messages[0]['content'] | upper }}");
    const made = modelfile({ from: '/my models/a.gguf', adapter: './b.gguf', tokenizer });
    expect(made).toEqual({
      text: 'FROM "/my models/a.gguf"\nADAPTER ./b.gguf\nPARAMETER stop "<|end|>"\n',
      hasTemplate: false,
    });
    expect(goTemplate(tinyChatTokenizer(null))).toBeNull();
  });
});
