import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadTiny, writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';
import { answer } from './answer.ts';
import { interpretLine } from './commands.ts';
import { Conversation } from './conversation.ts';
import { Feedback } from './feedback.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-chatting-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('says of rows that the text of an answer in them lacks special tokens', async () => {
  using owned = new DisposableStack();
  const model = await loadTiny(writeTinyChatModel(join(folder, 'model')), 'float32');
  owned.defer(() => model.dispose());
  const conversation = new Conversation();
  const feedback = new Feedback(join(folder, 'feedback.jsonl'));
  const said = (line: string): string => {
    const meaning = interpretLine(line, conversation, feedback);
    return 'text' in meaning ? meaning.text : '';
  };
  const { signal } = new AbortController();
  const save = `/save ${join(folder, 'chats.jsonl')}`;
  const lost = /tokens that their text leaves out, such as <\|/;
  // A random model says any token: this one goes on until a special one is among them.
  for (let seed = 0; conversation.hiddenIn() === null && seed < 50; seed++) {
    conversation.ask('Why blue?');
    const settings = { temperature: 1, maxNewTokens: 32, seed, signal };
    await answer(model, conversation, settings, () => {});
    if (conversation.hiddenIn() === null) {
      expect(`${said('/good')} ${said(save)}`).not.toMatch(lost);
      conversation.reset();
    }
  }
  expect(said('/good')).toMatch(lost);
  expect(said(save)).toMatch(lost);
});
