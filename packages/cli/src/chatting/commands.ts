import { nearest } from '@keel/align/config';
import { hiddenNotice } from '@keel/align/internal';
import type { Conversation } from './conversation.ts';
import type { Feedback } from './feedback.ts';

interface ChatCommand {
  usage: string;
  help: string;
  /** @returns the reply to the user; null ends the chat */
  run(conversation: Conversation, argument: string, feedback: Feedback): string | null;
}

const commands: Record<string, ChatCommand> = {
  reset: {
    usage: '/reset',
    help: 'start a new conversation',
    run(conversation) {
      conversation.reset();
      return 'Started a new conversation.';
    },
  },
  system: {
    usage: '/system <text>',
    help: 'set the system message and start over; without text, remove it',
    run(conversation, text) {
      conversation.setSystem(text === '' ? null : text);
      return text === ''
        ? 'Removed the system message. Started a new conversation.'
        : 'Set the system message. Started a new conversation.';
    },
  },
  save: {
    usage: '/save <file.jsonl>',
    help: 'append the conversation to a file as a row with messages',
    run(conversation, path) {
      if (path === '') return 'Give a file name: /save chats.jsonl';
      if (conversation.exchanges === 0) return 'The conversation is empty.';
      try {
        conversation.save(path);
      } catch (error) {
        return `Not saved: ${(error as Error).message}`;
      }
      const hidden = conversation.hiddenIn();
      return `Added to ${path}${hidden === null ? '' : `. Note: ${hiddenNotice(hidden)}`}`;
    },
  },
  good: {
    usage: '/good',
    help: 'rate the last answer as good: a row for keel kto',
    run: (conversation, _, feedback) => feedback.rate(conversation, true),
  },
  bad: {
    usage: '/bad',
    help: 'rate the last answer as bad: a row for keel kto',
    run: (conversation, _, feedback) => feedback.rate(conversation, false),
  },
  undo: {
    usage: '/undo',
    help: 'remove the last question, its answer and its rating',
    run(conversation, _, feedback) {
      const rating = feedback.undo(conversation);
      const question = conversation.undo();
      if (question === null) return 'Nothing to undo.';
      return `Removed: ${question}${rating === null ? '' : `\n${rating}`}`;
    },
  },
  help: { usage: '/help', help: 'show this', run: () => helpText() },
  exit: { usage: '/exit', help: 'quit (also Ctrl-C or Ctrl-D at the prompt)', run: () => null },
};

const helpText = (): string =>
  Object.values(commands)
    .map(({ usage, help }) => `${usage.padEnd(20)}${help}`)
    .join('\n');

/** What a line means: a command that was run, or a question for the model. */
export type LineMeaning =
  | { type: 'question'; text: string }
  | { type: 'said'; text: string }
  | { type: 'leave' };

/**
 * Runs a line that is a command. A line that starts with two slashes is a question that starts with
 * one.
 */
export function interpretLine(
  line: string,
  conversation: Conversation,
  feedback: Feedback,
): LineMeaning {
  if (line.startsWith('//')) return { type: 'question', text: line.slice(1) };
  const match = /^\/(\S*)\s*(.*)$/s.exec(line);
  if (match === null) return { type: 'question', text: line };
  const [, name = '', argument = ''] = match;
  const command = Object.hasOwn(commands, name) ? commands[name]! : null;
  if (command === null) {
    const near = nearest(name, Object.keys(commands));
    return {
      type: 'said',
      text: `Unknown command /${name}.${near ? ` Did you mean /${near}?` : ''}\n${helpText()}`,
    };
  }
  const text = command.run(conversation, argument.trim(), feedback);
  return text === null ? { type: 'leave' } : { type: 'said', text };
}
