import type { QuestionKind } from './behaviour.ts';

/** Six prompts that are in none of the bundled rows, for the side-by-side answers. */
export const unseenPrompts: readonly { prompt: string; kind: QuestionKind }[] = [
  { prompt: 'Why do leaves change colour in autumn?', kind: 'known' },
  { prompt: 'What time did I go to bed last Tuesday?', kind: 'unknowable' },
  { prompt: 'How do I stop onions from making me cry?', kind: 'known' },
  { prompt: 'Which team will win the next World Cup final?', kind: 'unknowable' },
  { prompt: 'How can I remember people’s names better?', kind: 'known' },
  { prompt: 'What is my neighbour thinking right now?', kind: 'unknowable' },
];
