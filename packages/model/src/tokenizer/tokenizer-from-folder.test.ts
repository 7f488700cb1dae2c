import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyTokenizerJson } from './testing/tiny-tokenizer.ts';
import { tokenizerFromFolder } from './tokenizer-from-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-tokenizer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, contents: unknown): void =>
  writeFileSync(
    join(folder, name),
    typeof contents === 'string' ? contents : JSON.stringify(contents),
  );
const render = (): string =>
  tokenizerFromFolder(folder).chatTemplate!.render([{ role: 'user', content: '' }]);

describe('tokenizerFromFolder', () => {
  it('says that tokenizer.json is missing, and what to do', () => {
    expect(() => tokenizerFromFolder(folder)).toThrow(/has no tokenizer\.json; .*save_pretrained/);
    write('tokenizer.model', '');
    expect(() => tokenizerFromFolder(folder)).toThrow(/only tokenizer\.model/);
  });

  it('names the file that is not JSON, and the field that is wrong', () => {
    write('tokenizer.json', '{');
    expect(() => tokenizerFromFolder(folder)).toThrow(/tokenizer\.json: is not JSON/);
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: 7 });
    expect(() => tokenizerFromFolder(folder)).toThrow(/tokenizer_config\.json: [\s\S]*eos_token/);
  });

  it('needs nothing but tokenizer.json', () => {
    write('tokenizer.json', tinyTokenizerJson());
    const tokenizer = tokenizerFromFolder(folder);
    expect(tokenizer.eosTokenId).toBeNull();
    expect(tokenizer.chatTemplate).toBeNull();
    expect(tokenizer.decode(tokenizer.encode('hello'))).toBe('hello');
  });

  it('takes special tokens as text or object, from the map where the configuration has none', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: { content: '<|end|>' }, bos_token: null });
    write('special_tokens_map.json', { pad_token: { content: '<|pad|>' }, eos_token: '<|user|>' });
    const tokenizer = tokenizerFromFolder(folder);
    expect([tokenizer.eosTokenId, tokenizer.padTokenId, tokenizer.bosTokenId]).toEqual([
      0,
      2,
      null,
    ]);
  });

  it('takes added tokens from the configuration that tokenizer.json lacks', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', {
      added_tokens_decoder: {
        0: { content: '<|end|>', special: true },
        900: { content: '<|new|>', special: true },
      },
    });
    const tokenizer = tokenizerFromFolder(folder);
    expect(tokenizer.encode('<|new|>')).toEqual([900]);
    expect(tokenizer.specialTokenIds.has(900)).toBe(true);
    expect(tokenizer.vocabSize).toBe(901);
  });

  it('ends generation where generation_config.json says', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: '<|pad|>' });
    write('generation_config.json', { eos_token_id: [1, 2] });
    expect([...tokenizerFromFolder(folder).endOfTurnIds].sort()).toEqual([0, 1, 2]);
    write('generation_config.json', { eos_token_id: 1 });
    expect(tokenizerFromFolder(folder).endOfTurnIds.has(1)).toBe(true);
  });

  it('prefers chat_template.jinja, then the configuration’s template, also where it has several', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: '<|end|>', chat_template: 'one{{ eos_token }}' });
    expect(render()).toBe('one<|end|>');
    write('tokenizer_config.json', {
      chat_template: [
        { name: 'rag', template: 'rag' },
        { name: 'default', template: 'two' },
      ],
    });
    expect(render()).toBe('two');
    write('chat_template.jinja', 'three');
    mkdirSync(join(folder, 'additional_chat_templates'));
    write('additional_chat_templates/tool_use.jinja', '{{ tools | length }} tools');
    expect(render()).toBe('three');
    const { chatTemplate } = tokenizerFromFolder(folder);
    expect(chatTemplate!.render([{ role: 'user', content: '' }], { tools: [{}] })).toBe('1 tools');
    // Files take the place of all that the configuration has.
    expect(Object.keys(chatTemplate!.sources)).toEqual(['default', 'tool_use']);
  });
});
