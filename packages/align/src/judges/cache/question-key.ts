import { createHash } from 'node:crypto';
import { exactJson } from '@keel/model/exact-json';
import type { JudgedAnswer, JudgedPair } from '../judge.ts';

/** A hash of everything that a judge is asked about. */
export function questionKey(asked: JudgedPair | JudgedAnswer): string {
  const { prompt, rendering = null, reference = null, instructions, extra } = asked;
  const answers = 'answers' in asked ? asked.answers : asked.answer;
  const kind = 'answers' in asked ? 'compare' : 'rate';
  const own = instructions === undefined ? [] : [instructions];
  const all = [kind, prompt, rendering, reference, extra, answers, ...own];
  return createHash('sha256').update(exactJson(all)).digest('hex');
}
