import { dateNotice, templateSettings } from '@keel/align/config';
import { loadTokenizer } from '@keel/model/without-torch';
import type { TokensOptions } from '../options/tokens.ts';
import { complain } from '../terminal.ts';
import { embeddingRows } from '../tokenising/embedding-rows.ts';
import { rowTokens } from '../tokenising/row-tokens.ts';
import {
  printJsonTokens,
  printLegend,
  printTokens,
  type ShownTokens,
  unknownIds,
} from '../tokenising/token-display.ts';
import { tokenPieces } from '../tokenising/token-pieces.ts';

export async function run(options: TokensOptions): Promise<number> {
  const template = templateSettings(options);
  const tokenizer = await loadTokenizer(options.model, { template });
  const rows = await embeddingRows(options.model);
  const print = (found: ShownTokens): void =>
    (options.json ? printJsonTokens : printTokens)({ ...found, ...unknownIds(found, rows) });
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
  const notice = dateNotice(tokenizer.chatTemplate, template);
  if (notice !== null) complain(`note: ${notice}`);
  let shown = false;
  const say = (text: string): void => console.error(text);
  for await (const row of rowTokens(tokenizer, { ...options, data }, say)) {
    if (!shown && !options.json) printLegend();
    shown = true;
    print(row);
  }
  return 0;
}
