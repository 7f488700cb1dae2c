import { describe, expect, it } from 'vitest';
import { PythonFloat } from '../jinja/values.ts';
import type { TemplateSettings } from './template-settings.ts';
import { tinyTokenizerJson } from './testing/tiny-tokenizer.ts';
import { Tokenizer } from './tokenizer.ts';

const ask = [{ role: 'user', content: 'hi' }];

const build = (
  chatTemplates: Record<string, string>,
  template: TemplateSettings = {},
  config = {},
): Tokenizer =>
  new Tokenizer({
    source: 'tiny/tokenizer.json',
    json: tinyTokenizerJson(),
    config: { eos_token: '<|end|>', ...config },
    chatTemplates,
    template,
  });

describe('a tokenizer with a chat template', () => {
  it('is refused if a template is broken, even one that is rarely used', () => {
    expect(() => build({ default: 'x', tool_use: '{{ x | nope }}' })).toThrow(
      /The chat template "tool_use" of tiny cannot be used: line 1, column 8: No filter named 'nope'/,
    );
  });

  it('passes all named special tokens to the template', () => {
    const tokenizer = build(
      { default: '{{ sep_token }}{{ eos_token }}{{ cls_token }}.' },
      {},
      {
        sep_token: '<|user|>',
      },
    );
    expect(tokenizer.chatTemplate!.render(ask)).toBe('<|user|><|end|>.');
  });

  it('includes all templates, its variables and the clock readings in its hash', () => {
    const day = { default: "{{ strftime_now('%Y-%m-%d') }}" };
    const hashes = [
      build({ default: 'x' }),
      build({ default: 'x', tool_use: 'y' }),
      build({ default: 'x', tool_use: 'z' }),
      build({ default: 'x' }, { variables: { a: 1 } }),
      build({ default: 'x' }, { variables: { a: new PythonFloat(1) } }),
      build(day, { now: '2026-11-28T15:04:05' }),
      build(day, { now: '2026-11-29T15:04:05' }),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(build(day, { now: '2026-11-28T00:00:00' }).hash).toBe(hashes[5]);
    expect(build({ default: 'x' }, { now: '2026-11-28T15:04:05' }).hash).toBe(hashes[0]);
  });

  it('is the same in another thread, including its clock', () => {
    const source = "{{ a }} {{ b }} {{ strftime_now('%f %S') }}";
    const first = build(
      { default: source },
      { variables: { a: new PythonFloat(2), b: 2n ** 64n } },
    );
    const second = Tokenizer.fromDefinition(first.definition());
    expect(second.chatTemplate!.render(ask)).toBe(first.chatTemplate!.render(ask));
    expect(second.chatTemplate!.render(ask)).toMatch(/^2\.0 18446744073709551616 \d{6} \d\d$/);
    expect(second.hash).toBe(first.hash);
  });

  it('does not save a template whose name is not a valid file name', () => {
    expect(() => build({ '../x': 'x' }).save('/dev/null/nowhere')).toThrow(
      /the chat template named "\.\.\/x" cannot be used/,
    );
  });
});
