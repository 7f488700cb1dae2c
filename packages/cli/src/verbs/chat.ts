import { createInterface } from 'node:readline/promises';
import { constraintFlag, readConstraint } from '@keel/align/config';
import { answer } from '../chatting/answer.ts';
import { interpretLine } from '../chatting/commands.ts';
import { Conversation } from '../chatting/conversation.ts';
import { Feedback } from '../chatting/feedback.ts';
import { exitCodes } from '../failure.ts';
import { checkedConstraint } from '../generating/checked-constraint.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { openModel } from '../open-model.ts';
import type { ChatOptions } from '../options/chat.ts';
import { write } from '../terminal.ts';

export async function run(options: ChatOptions): Promise<number> {
  const { model, adapter } = await openModel(options);
  if (model.tokenizer.chatTemplate === null) {
    throw new Error(
      `${options.model} has no chat template. Pass --chat-template, or use keel generate`,
    );
  }
  const limit = readConstraint(options);
  if (limit !== null) await checkedConstraint(model, limit, constraintFlag(options)!);
  const conversation = new Conversation(options.system, model.tokenizer.chatTemplate);
  const feedback = new Feedback(options.feedback);
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    output: terminal ? process.stdout : undefined,
    terminal,
    prompt: '> ',
  });
  let turn = new AbortController();
  let answering = false;
  let open = true;
  let exitCode: number = exitCodes.done;
  const interrupt = (): void => {
    if (answering) turn.abort();
    else {
      exitCode = exitCodes.interrupted;
      lines.close();
    }
  };
  // On a terminal readline reads Ctrl-C as a key; elsewhere it arrives as a signal.
  lines.on('close', () => {
    open = false;
  });
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  const say = (text: string): void => write(process.stdout, text);
  if (terminal)
    say('Type /help for the commands. Ctrl-C stops an answer; at the prompt it quits.\n');
  lines.prompt();
  try {
    for await (const line of lines) {
      const meaning = interpretLine(line.trim(), conversation, feedback);
      if (meaning.type === 'leave') break;
      if (meaning.type === 'said') say(`${meaning.text}\n`);
      else if (meaning.text !== '') {
        conversation.ask(meaning.text);
        turn = new AbortController();
        answering = true;
        const settings = { ...samplingOptions(options), adapter, signal: turn.signal };
        try {
          await answer(model, conversation, { ...settings, limit }, say);
        } catch (error) {
          // At a terminal the chat continues: the conversation may just have become too long.
          if (!terminal) throw error;
          say(`\nerror: ${(error as Error).message}\n`);
        } finally {
          answering = false;
        }
      }
      // Input may end during an answer; lines that came before are still answered.
      if (terminal && open) lines.prompt();
    }
  } finally {
    lines.close();
    process.off('SIGINT', interrupt);
  }
  if (terminal) say('\n');
  return exitCode;
}
