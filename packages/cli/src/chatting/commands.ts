import { nearest } from '../torch-free/align-config.ts';
import type { Conversation } from './conversation.ts';

interface ChatCommand {
  usage: string;
  help: string;
  /** @returns what is said to the user; null ends the chat */
  run(conversation: Conversation, argument: string): string | null;
}

const commands: Record<string, ChatCommand> = {
  reset: {
    usage: '/reset',
    help: 'begin a new conversation',
    run(conversation) {
      conversation.reset();
      return 'A new conversation.';
    },
  },
  system: {
    usage: '/system <text>',
    help: 'set the system message and begin anew; without text: none',
    run(conversation, text) {
      conversation.setSystem(text === '' ? null : text);
      return text === ''
        ? 'No system message. A new conversation.'
        : 'A new conversation under it.';
    },
  },
  save: {
    usage: '/save <file.jsonl>',
    help: 'add the conversation to a file as a row of messages',
    run(conversation, path) {
      if (path === '') return 'Name the file: /save chats.jsonl';
      if (conversation.exchanges === 0) return 'Nothing was said yet.';
      try {
        conversation.save(path);
      } catch (error) {
        return `Not saved: ${(error as Error).message}`;
      }
      return `Added to ${path}`;
    },
  },
  undo: {
    usage: '/undo',
    help: 'take the last question and its answer back',
    run(conversation) {
      const question = conversation.undo();
      return question === null ? 'Nothing to take back.' : `Taken back: ${question}`;
    },
  },
  help: { usage: '/help', help: 'show this', run: () => helpText() },
  exit: { usage: '/exit', help: 'leave (so does ^C or ^D at the prompt)', run: () => null },
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
 * Runs a line that is a command. Two slashes at the beginning ask a question that begins with one.
 */
export function interpretLine(line: string, conversation: Conversation): LineMeaning {
  if (line.startsWith('//')) return { type: 'question', text: line.slice(1) };
  const match = /^\/(\S*)\s*(.*)$/s.exec(line);
  if (match === null) return { type: 'question', text: line };
  const [, name = '', argument = ''] = match;
  const command = Object.hasOwn(commands, name) ? commands[name]! : null;
  if (command === null) {
    const near = nearest(name, Object.keys(commands));
    return {
      type: 'said',
      text: `There is no /${name}${near ? `; did you mean /${near}?` : ''}\n${helpText()}`,
    };
  }
  const text = command.run(conversation, argument.trim());
  return text === null ? { type: 'leave' } : { type: 'said', text };
}
