import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sftDefinition } from '../methods/supervised/sft-options.ts';
import { ConfigError } from './config-error.ts';
import { resolveOptions } from './resolve-options.ts';
import { completeDate, dateNotice, localNow, templateSettings } from './template-options.ts';
import { writeConfigYaml } from './write-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-template-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test.each([
  ['2026-11-28', '2026-11-28T00:00:00'],
  ['2026-11-28T15:04', '2026-11-28T15:04:00'],
  ['2026-11-28 15:04:05', '2026-11-28T15:04:05'],
  ['2024-02-29', '2024-02-29T00:00:00'],
  ['2026-02-29', null],
  ['2026-06-31', null],
  ['2026-11-28T24:00', null],
  ['2026-11-28Z', null],
  ['28.11.2026', null],
])('the date %s is %s', (text, whole) => {
  expect(completeDate(text)).toBe(whole);
});

test('now is in local time', () => {
  const date = new Date(2026, 10, 28, 15, 4, 5);
  expect(localNow(date)).toBe('2026-11-28T15:04:05');
});

test('uses the named template, otherwise the one saved with the adapter', () => {
  const adapter = join(folder, 'adapter');
  mkdirSync(adapter);
  const date = { templateDate: '2026-11-28' };
  expect(templateSettings(date, adapter)).toEqual({
    ...{ now: '2026-11-28T00:00:00', adapters: [adapter] },
  });
  file('adapter/chat_template.jinja', 'saved');
  expect(templateSettings(date, adapter).source).toBe('saved');
  const chatTemplate = file('named.jinja', '\uFEFFnamed');
  const kwargs = { chatTemplateKwargs: '{"thinking": false}' };
  expect(templateSettings({ ...date, ...kwargs, chatTemplate }, adapter)).toEqual({
    source: 'named',
    variables: { thinking: false },
    ...{ now: '2026-11-28T00:00:00', adapters: [adapter] },
  });
  expect(() => templateSettings({ chatTemplate: file('empty', ' \n') })).toThrow('is empty');
  expect(() => templateSettings({ chatTemplate: join(folder, 'absent') })).toThrow(
    /--chat-template .*absent: /,
  );
});

test('reports the date if the template prints it', () => {
  const now = '2026-11-28T15:04:05';
  expect(dateNotice({ usesClock: true }, { now })).toContain(now);
  expect(dateNotice({ usesClock: false }, { now })).toBeNull();
  expect(dateNotice(null, { now })).toBeNull();
});

test('variables are a mapping in a file or JSON in a flag, and keep the form of numbers', () => {
  const needed = { data: 'x', output: 'y' };
  const config = file(
    'c.yaml',
    'chat_template_kwargs:\n  thinking: false\n  budget: 20.0\n  at: [1, none]\n',
  );
  const text = '{"thinking": false, "budget": 20.0, "at": [1, "none"]}';
  const options = resolveOptions(sftDefinition, { flags: needed, config });
  expect(options.chatTemplateKwargs).toBe(text);
  const written = file('w.yaml', writeConfigYaml(sftDefinition, options));
  expect(resolveOptions(sftDefinition, { config: written })).toEqual(options);
  const flag = { ...needed, chatTemplateKwargs: text };
  expect(resolveOptions(sftDefinition, { flags: flag }).chatTemplateKwargs).toBe(text);
  const faults = (flags: Record<string, string>): string => {
    try {
      resolveOptions(sftDefinition, { flags: { ...needed, ...flags } });
      return '';
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  expect(faults({ chatTemplateKwargs: '[1]' })).toContain('--chat-template-kwargs: ');
  expect(faults({ templateDate: 'today' })).toContain('--template-date: expected a date');
});

const kwargsOf = (name: string, mapping: string): string | null => {
  const config = file(name, `chat_template_kwargs: ${mapping}\n`);
  return resolveOptions(sftDefinition, { flags: { data: 'x', output: 'y' }, config })
    .chatTemplateKwargs;
};

test.each([
  ['off', 'false'],
  ['No', 'false'],
  ['ON', 'true'],
  ['yes', 'true'],
  ['.5', '0.5'],
  ['-.5e-3', '-0.5e-3'],
  ['5.', '5.0'],
  ['+1_000', '1000'],
  ['1e5', '1e5'],
  ['12345678901234567890', '12345678901234567890'],
  ['"off"', '"off"'],
  ["'.5'", '".5"'],
  ['n', '"n"'],
  ['2026-11-28', '"2026-11-28"'],
  ['12:30', '"12:30"'],
  ['none', '"none"'],
  ['~', 'null'],
])('the variable %s in a file is %s', (written, json) => {
  expect(kwargsOf('words.yaml', `{x: ${written}, y: [${written}]}`)).toBe(
    `{"x": ${json}, "y": [${json}]}`,
  );
});

test.each([
  '.nan',
  '.inf',
  '0x10',
  '0o17',
  '010',
  '1e999',
])('the variable %s is a number to some and a text to others', (written) => {
  const config = `{a: 1, at: [b, ${written}]}`;
  expect(() => kwargsOf('unclear.yaml', config)).toThrow(ConfigError);
  expect(() => kwargsOf('unclear.yaml', config)).toThrow(
    new RegExp(`unclear\\.yaml:1:23: chat_template_kwargs: .*"at".*"${written}".*quotes`, 's'),
  );
  expect(kwargsOf('text.yaml', `{x: "${written}"}`)).toBe(`{"x": "${written}"}`);
});
