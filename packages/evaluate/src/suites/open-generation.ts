// A suite's tasks whose answers a check judges: generation, refusals and instructions.

import { exactJson } from '@keel/model/exact-json';
import type { CheckedRow } from '../checks/check.ts';
import { openCheck } from '../checks/open-check.ts';
import { readerOf, textOf } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { runGeneration } from '../tasks/generation.ts';
import type { Item } from '../tasks/task.ts';
import { examplesOf } from './few-shot.ts';
import {
  atRow,
  checkedRow,
  checkIdentity,
  checkMetrics,
  checkValues,
  promptsOf,
  settingsOf,
  targetsOf,
} from './generating.ts';
import { type Prompt, renderPrompt } from './prompts.ts';
import type { SpecOf } from './suite-schema.ts';
import type { OpenTaskOptions, TaskParts } from './task-parts.ts';

type Spec = SpecOf<'generation'> | SpecOf<'refusals'> | SpecOf<'instructions'>;

interface Request {
  prompt: Prompt;
  row: CheckedRow;
}

export async function openGeneration(
  spec: Spec,
  place: string,
  all: Docs,
  docs: readonly Doc[],
  { folder }: OpenTaskOptions,
): Promise<TaskParts> {
  const check = await openCheck(spec.check, { folder, place: `${place}: check` });
  const promptOf = promptsOf(spec, place, all);
  const answer = spec.type === 'generation' ? spec.answer : undefined;
  const targetOf = targetsOf(answer, place, all);
  const fewShot = spec.type === 'generation' ? spec.few_shot : undefined;
  const examples = await examplesOf({ few_shot: fewShot }, place, all, (rows) => {
    const prompt = readerOf(spec.prompt, rows.columns, `${place}: prompt`);
    const target = targetsOf(answer, place, rows);
    return (doc) => `${textOf(prompt, doc, 'prompt')} ${String([target(doc)].flat()[0] ?? '')}`;
  });
  const items = docs.map((doc): Item<Request> => {
    const prompt = promptOf(doc);
    const shots = examples(doc);
    const whole = shots === '' ? prompt : { ...prompt, content: shots + String(prompt.content) };
    return { doc, request: { prompt: whole, row: checkedRow(check, doc, prompt, targetOf(doc)) } };
  });
  const metrics = await checkMetrics(
    check,
    items.map(({ request }) => request.row),
  );
  return {
    items,
    shots: fewShot?.count ?? 0,
    metrics,
    filters: ['none'],
    identity: checkIdentity(spec.check, folder),
    run: (asked, subject, hooks) =>
      runGeneration(
        asked as typeof items,
        subject,
        {
          settings: settingsOf(spec),
          render: ({ request }, { tokenizer }) => renderPrompt(request.prompt, tokenizer),
          judge: async (answers, { doc, request }, signal) => {
            const outcomes = await Promise.all(
              answers.map((text) => atRow(doc, () => check.check(text, request.row, signal))),
            );
            const [first] = outcomes;
            return {
              values: checkValues(check, outcomes),
              target: targetText(request.row.target),
              filtered: { none: outcomes.map(({ read }, at) => read ?? answers[at]!) },
              ...(first!.label !== undefined && { label: first!.label }),
              ...(first!.note !== undefined && { note: first!.note }),
            };
          },
        },
        hooks,
      ),
  };
}

export const targetText = (target: CheckedRow['target']): string =>
  target === undefined ? '' : Array.isArray(target) ? exactJson(target) : String(target);
