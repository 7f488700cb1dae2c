import { type Content, isChat } from '@keel/align/data';
import { exactJson } from '@keel/align/internal';
import type { GenerationEvent, GenerationResult } from '@keel/model';
import { say, sayJsonText, write } from '../terminal.ts';
import { type AskedRow, answerRow } from './answer-rows.ts';
import { InOrder } from './in-order.ts';

/** Shows answers as they are generated. */
export interface GenerationDisplay {
  event(event: GenerationEvent): void;
}

/** Streams a single answer. */
export const streamDisplay = (out: NodeJS.WritableStream = process.stdout): GenerationDisplay => ({
  event(event) {
    write(out, event.type === 'done' ? `${event.text}\n` : event.text);
  },
});

export interface DisplayParts {
  prompts: readonly Content[];
  samples: number;
  /** Whether the prompts are rows of a file. */
  fromFile: boolean;
}

/**
 * One JSON object per answer, in the order of the prompts. What continues an assistant message is
 * printed as text, since it is a part of a message.
 */
export const jsonDisplay = (asked: readonly AskedRow[], parts: DisplayParts): GenerationDisplay =>
  whole(parts.samples, (result) => {
    const row = asked[result.promptIndex]!;
    const answer = answerRow(row, result, parts);
    const { prompt, opening } = row;
    const continues = isChat(prompt) && prompt.at(-1)!.role === 'assistant';
    sayJsonText(exactJson(continues ? { ...answer, completion: opening + result.text } : answer));
  });

/** Each answer under its prompt. */
export const listDisplay = ({ prompts, samples }: DisplayParts): GenerationDisplay =>
  whole(samples, (result, place) => {
    const heading = samples > 1 ? ` (${result.sampleIndex + 1} of ${samples})` : '';
    const prompt = promptText(prompts[result.promptIndex]!);
    say(`${place > 0 ? '\n' : ''}> ${prompt.replaceAll('\n', '\n> ')}${heading}`);
    say(result.text);
  });

function whole(
  samples: number,
  show: (result: GenerationResult, place: number) => void,
): GenerationDisplay {
  const ordered = new InOrder<GenerationResult>(show);
  return {
    event(event) {
      if (event.type !== 'done') return;
      ordered.add(event.promptIndex * samples + event.sampleIndex, event.result);
    },
  };
}

const promptText = (prompt: Content): string =>
  isChat(prompt) ? prompt.map(({ role, content }) => `${role}: ${content}`).join('\n') : prompt;
