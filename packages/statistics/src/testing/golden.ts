import { readFileSync } from 'node:fs';

/** Numbers of test/golden/evaluation. */
export function golden<Content>(name: string): Content {
  const url = new URL(`../../../../test/golden/evaluation/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Content;
}
