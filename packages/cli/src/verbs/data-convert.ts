import type { DataConvertOptions } from '../options/data-convert.ts';
import { say } from '../terminal.ts';

export function run({ files }: DataConvertOptions): number {
  say(files.join(' '));
  return 0;
}
