import {
  ChatTemplateError,
  type GenerateOptions,
  generateAll,
  type LanguageModel,
  type Role,
} from '@keel/model';
import { promptTokens } from '../answering/prompt-tokens.ts';
import { answerOpening } from '../batching/answer-start.ts';
import { hiddenToken } from '../batching/hidden-token.ts';
import { promptFault } from '../batching/prompt-fault.ts';
import { openedPrompt } from '../batching/prompt-text.ts';
import type { Conversation, Said, Speaker } from './speaker.ts';

export interface ModelSpeakerOptions {
  name: string;
  identity: string;
  role: Role;
  sampling: Omit<GenerateOptions, 'adapter' | 'seed' | 'signal' | 'samplesPerPrompt'>;
}

/**
 * A model in this process as a speaker.
 * @throws Error if it has no chat template
 */
export function modelSpeaker(
  model: LanguageModel,
  { name, identity, role, sampling }: ModelSpeakerOptions,
): Speaker {
  const { tokenizer } = model;
  if (tokenizer.chatTemplate === null) {
    throw new Error(
      `${model.name} has no chat template, and critiques are turns of a chat. Pass --chat-template, or use another model`,
    );
  }
  const { maxNewTokens = 256 } = sampling;
  const room = model.decoder.config.maxPositions - maxNewTokens;
  const asked = ({ messages, rendering }: Conversation): { tokens: number[]; opened: string } => {
    const { opened } = openedPrompt({ tokenizer, messages, rendering });
    const tokens = promptTokens([...messages], tokenizer, { rendering });
    return { tokens, opened: answerOpening(opened) };
  };
  /** @returns why the template rejects a conversation, if it does */
  const askedOr = (one: Conversation): ReturnType<typeof asked> | { failed: string } => {
    try {
      return asked(one);
    } catch (error) {
      if (!(error instanceof ChatTemplateError)) throw error;
      return { failed: error.message };
    }
  };
  return {
    name,
    identity,
    async say(conversations, { seed, signal, onTurn }) {
      const turns = conversations.map((one) => {
        const made = askedOr(one);
        if ('failed' in made) return { tokens: [], opened: '', failed: made.failed };
        const { tokens, opened } = made;
        const fault = promptFault(tokens, tokenizer, model.decoder.config);
        const failed =
          fault !== null
            ? `expected ${fault.expected}, found ${fault.found}`
            : tokens.length > room
              ? `the conversation has ${tokens.length} tokens, which leaves no room for ${maxNewTokens} more`
              : null;
        return { tokens, opened, failed };
      });
      const open = turns.flatMap(({ failed }, at) => (failed === null ? [at] : []));
      const results = await generateAll(
        model,
        open.map((at) => turns[at]!.tokens),
        {
          ...sampling,
          ...{ adapter: role, seed, ...(signal && { signal }) },
          onEvent: (event) => event.type === 'done' && onTurn?.(),
        },
      );
      if (results.some(({ finishReason }) => finishReason === 'aborted')) return null;
      const said = turns.map(
        ({ failed }): Said => ({
          text: '',
          ended: false,
          ...(failed !== null && { failed }),
        }),
      );
      for (const [index, { text, tokens, finishReason }] of results.entries()) {
        const at = open[index]!;
        const hidden = hiddenToken(tokens, tokenizer);
        said[at] = {
          ...{ text: turns[at]!.opened + text, ended: finishReason !== 'length' },
          ...(hidden !== null && { hidden }),
        };
      }
      return said;
    },
  };
}
