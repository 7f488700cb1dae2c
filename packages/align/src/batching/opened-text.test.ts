import { ChatTemplate } from '@keel/model';
import { expect, it } from 'vitest';
import { renderPrompt } from './opened-text.ts';

const turns = "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '<end>' }}{% endfor %}";
const prompt = (text: string): string => `{% if add_generation_prompt %}{{ '${text}' }}{% endif %}`;
const messages = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Ho' },
  { role: 'user', content: 'Well?' },
];

it.each([
  ['the header alone', turns + prompt('<assistant>'), ''],
  ['a thought', turns + prompt('<assistant><think>\\n'), '<think>\n'],
  [
    'a thought where the last turn has one as well',
    `{% for m in messages %}{{ '<' + m.role + '>' }}{% if loop.last and m.role == 'assistant' %}{{ '<think></think>' }}{% endif %}{{ m.content + '<end>' }}{% endfor %}${prompt('<assistant><think>')}`,
    '<think>',
  ],
  ['no header at all', turns, ''],
  ['a shorter header than a turn has', turns + prompt('<assist'), ''],
  [
    'a template that refuses answers',
    `{% for m in messages %}{% if m.role == 'assistant' and m.content != 'Ho' %}{{ raise_exception('no') }}{% endif %}{{ m.content }}{% endfor %}${prompt('<assistant><think>')}`,
    '',
  ],
])('of a generation prompt, what stands behind the header is opened: %s', (_, source, opened) => {
  const found = renderPrompt(messages, new ChatTemplate(source));
  expect(found.opened).toBe(opened);
  expect(found.text).toBe(new ChatTemplate(source).render(messages, { addGenerationPrompt: true }));
});
