// The chat template of a run: its source, its variables, and the date that it prints.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '@keel/model';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { templateSettings } from '../config/template-options.ts';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { metricsOf } from '../testing/run-files.ts';
import {
  tinyRows,
  tinyTemplate,
  writeRowsFile,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
const dated = `{{ '<|user|>system\\nToday is ' + strftime_now('%d %B %Y') + '<|end|>\\n' }}${tinyTemplate}`;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  writeTinyChatModel(inside('dated'));
  writeFileSync(join(inside('dated'), 'chat_template.jinja'), dated);
  data = writeRowsFile(folder, tinyRows(10));
});
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 10, 28, 12) }));
afterEach(() => void vi.useRealTimers());
const later = (): void => void vi.setSystemTime(new Date(2027, 0, 5, 12));

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  ...{ model: inside('dated'), data: [data], output: inside(`run-${runs++}`) },
  ...{ precision: 'fp32', lora: true, loraRank: 2, batchSize: 4, threads: 1, saveSteps: 1 },
  ...{ scheduler: 'constant', learningRate: 1e-2, maxSteps: 4 },
  ...own,
});
async function align(options: AlignPairsOptions): Promise<string[]> {
  const notices: string[] = [];
  await alignPairs(options, {
    onEvent: (event) => void (event.type === 'notice' && notices.push(event.text)),
  });
  return notices;
}
const lossesOf = ({ output }: AlignPairsOptions): unknown[] =>
  metricsOf(output).flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
const configOf = ({ output }: AlignPairsOptions): Record<string, unknown> =>
  parse(readFileSync(join(output, 'config.yaml'), 'utf8'));

it('prints the start date of the run, even if it is resumed on another day', async () => {
  const straight = optionsOf();
  const notices = await align(straight);
  const told = notices.filter((text) => text.includes('--template-date'));
  expect(told).toEqual([expect.stringContaining('2026-11-28T12:00:00')]);
  expect(configOf(straight).template_date).toBe('2026-11-28T12:00:00');
  const environment = readFileSync(join(straight.output, 'environment.json'), 'utf8');
  expect(JSON.parse(environment)).toMatchObject({ templatePrintsDate: true });

  const stopped = optionsOf({ maxSteps: 2 });
  await align(stopped);
  later();
  await align({ ...stopped, maxSteps: 4, resume: true });
  expect(configOf(stopped).template_date).toBe('2026-11-28T12:00:00');
  expect(lossesOf(stopped)).toEqual(lossesOf(straight));
  await expect(align({ ...stopped, resume: true, templateDate: '2027-01-05' })).rejects.toThrow(
    /template_date was "2026-11-28T12:00:00", now "2027-01-05T00:00:00"/,
  );

  // A run on another day differs, unless --template-date is the same.
  const other = optionsOf();
  await align(other);
  expect(lossesOf(other)).not.toEqual(lossesOf(straight));
  const same = optionsOf({ templateDate: '2026-11-28' });
  await align(same);
  expect(lossesOf(same)).toEqual(lossesOf(straight));
});

it('uses cached reference scores of its own date only', async () => {
  const cached = (notices: string[]): boolean =>
    notices.some((text) => text.includes('training rows: from the cache'));
  const own = { precomputeReference: true, learningRate: 1e-12, maxSteps: 2 };
  expect(cached(await align(optionsOf(own)))).toBe(false);
  expect(cached(await align(optionsOf(own)))).toBe(true);
  later();
  const next = optionsOf(own);
  expect(cached(await align(next))).toBe(false);
  for (const loss of lossesOf(next)) expect(loss).toBeCloseTo(Math.LN2, 5);
  // A template without the date gives the same scores on every day.
  const plain = { ...own, model: inside('model') };
  expect(cached(await align(optionsOf(plain)))).toBe(false);
  vi.setSystemTime(new Date(2028, 0, 1));
  expect(cached(await align(optionsOf(plain)))).toBe(true);
});

it('is that of --chat-template, and is saved with the adapter', async () => {
  const chatTemplate = inside('own.jinja');
  const text = `{{ '<|user|>' + style + '<|end|>\\n' }}${tinyTemplate}`;
  writeFileSync(chatTemplate, text);
  const options = optionsOf({
    chatTemplate,
    chatTemplateKwargs: '{"style": "short"}',
    maxSteps: 1,
  });
  await align(options);
  expect(configOf(options)).toMatchObject({
    chat_template: chatTemplate,
    chat_template_kwargs: { style: 'short' },
  });
  const final = join(options.output, 'final');
  expect(readFileSync(join(final, 'chat_template.jinja'), 'utf8')).toBe(text);
  const template = templateSettings(options, final);
  const tokenizer = await loadTokenizer(options.model!, { template });
  expect(tokenizer.chatTemplate!.render([{ role: 'user', content: 'hello' }])).toBe(
    '<|user|>short<|end|>\n<|user|>user\nhello<|end|>\n',
  );

  // A run that continues from the adapter has its template too.
  const next = optionsOf({ adapter: final, chatTemplateKwargs: '{"style": "long"}', maxSteps: 1 });
  await align(next);
  expect(readFileSync(join(next.output, 'final', 'chat_template.jinja'), 'utf8')).toBe(text);
  // Without one, a run uses the model's.
  const plain = optionsOf({ maxSteps: 1 });
  await align(plain);
  const own = join(plain.output, 'final', 'chat_template.jinja');
  expect(readFileSync(own, 'utf8')).toBe(
    readFileSync(join(plain.model!, 'chat_template.jinja'), 'utf8'),
  );

  writeFileSync(chatTemplate, `${text} `);
  await expect(align({ ...options, resume: true, maxSteps: 2 })).rejects.toThrow(
    /cannot be resumed with other data, models or rewards: .*--chat-template .*own\.jinja has changed/,
  );
  writeFileSync(chatTemplate, text);
  await expect(
    align({ ...options, chatTemplateKwargs: '{"style": "long"}', resume: true, maxSteps: 2 }),
  ).rejects.toThrow(/chat_template_kwargs was {"style":"short"}, now {"style":"long"}/);
});
