import type { TokensOptions } from '../options/tokens.ts';
import { rowTokens } from '../tokenising/row-tokens.ts';
import { printJsonTokens, printLegend, printTokens } from '../tokenising/token-display.ts';
import { tokenPieces } from '../tokenising/token-pieces.ts';
import { loadTokenizer } from '../torch-free/load-tokenizer.ts';

export async function run(options: TokensOptions): Promise<number> {
  const tokenizer = await loadTokenizer(options.model);
  const print = options.json ? printJsonTokens : printTokens;
  const { text, data } = options;
  if (data === null) {
    const ids = tokenizer.encode(text!);
    print({
      heading: `${ids.length} tokens`,
      name: {},
      parts: [{ name: 'text', pieces: tokenPieces(tokenizer, ids, []) }],
      truncated: false,
    });
    return 0;
  }
  let shown = false;
  for await (const row of rowTokens(tokenizer, { ...options, data })) {
    if (!shown && !options.json) printLegend();
    shown = true;
    print(row);
  }
  return 0;
}
