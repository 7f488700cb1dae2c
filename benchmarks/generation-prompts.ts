// Prompts for the generation benchmarks: windows of one text, so that all differ and have the same
// length.
import type { Tokenizer } from '@keel/model';

const text = `The lighthouse keeper wrote down the weather every evening, whether or not there was any to speak of. On calm
days he noted the colour of the water and the ships that passed; on others he noted only that the lamp was lit. When the
harbour was deepened and the large ships came, he counted them too, and after some years his books were the only record
of what the coast had been like before the road. A historian asked him once why he had gone on with it for so long. He
said that somebody had to be there to see it, and that writing it down was how he knew that he had looked. `;

/** @returns `count` prompts of `length` token ids each */
export function benchmarkPrompts(tokenizer: Tokenizer, count: number, length: number): number[][] {
  const tokens = tokenizer.encode(text);
  return Array.from({ length: count }, (_, start) =>
    Array.from({ length }, (_, i) => tokens[(start * 7 + i) % tokens.length]!),
  );
}
