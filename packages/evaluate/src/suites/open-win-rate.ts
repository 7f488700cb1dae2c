// A suite's win rate: a judge compares the model's answers with given ones, in both orders.

import { DataError } from '@keel/align';
import { type Content, isChat } from '@keel/align/data';
import { plainNumbers } from '@keel/model/exact-json';
import { openJudge } from '../judges/open-judge.ts';
import { assistantTurn } from '../judging/answers/read-answers.ts';
import { judgePairs } from '../judging/asking/judge-pairs.ts';
import { readerOf, textOf } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { runGeneration } from '../tasks/generation.ts';
import { mean, meanOf, shareOf } from '../tasks/metrics.ts';
import type { Item } from '../tasks/task.ts';
import { promptsOf, settingsOf } from './generating.ts';
import { askedContent, type Prompt, renderPrompt } from './prompts.ts';
import { fingerprint, specPath } from './spec-path.ts';
import type { SpecOf } from './suite-schema.ts';
import type { OpenTaskOptions, TaskParts } from './task-parts.ts';

interface Request {
  prompt: Prompt;
  baseline: string;
  extra: Readonly<Record<string, unknown>>;
}

export async function openWinRate(
  spec: SpecOf<'win-rate'>,
  place: string,
  all: Docs,
  docs: readonly Doc[],
  { folder, precision, device }: OpenTaskOptions,
): Promise<TaskParts> {
  const named = specPath(spec.judge, folder);
  const promptOf = promptsOf(spec, place, all);
  const baseline = readerOf(spec.baseline, all.columns, `${place}: baseline`);
  const items = docs.map((doc): Item<Request> => {
    const text = textOf(baseline, doc, 'baseline');
    return {
      doc,
      request: { prompt: promptOf(doc), baseline: text, extra: plainNumbers(doc.row) },
    };
  });
  return {
    items,
    metrics: [
      shareOf('win_rate'),
      shareOf('orders_agree'),
      shareOf('longer'),
      { ...shareOf('no_verdict'), higherIsBetter: false },
      { ...meanOf('cut_off', false), share: true },
    ],
    filters: ['none'],
    identity: fingerprint(named),
    async run(asked, subject, hooks) {
      await using judge = await openJudge(named, { precision, device: device as 'auto' | 'cpu' });
      let turn = Promise.resolve();
      await runGeneration(
        asked as typeof items,
        subject,
        {
          settings: settingsOf(spec),
          render: ({ request }, { tokenizer }) => renderPrompt(request.prompt, tokenizer),
          judge: (answers, { doc, request }, signal) => {
            const { rendering } = request.prompt;
            const prompt = askedContent(request.prompt, subject.model.tokenizer);
            const answerTo = isChat(prompt) ? assistantTurn : (text: string): Content => text;
            const pairs = answers.map((answer, row) => ({
              ...{ row, category: null, modelA: 'baseline', modelB: subject.name },
              ...{ prompt, extra: request.extra, ...(rendering && { rendering }) },
              answers: [answerTo(request.baseline), answerTo(answer)] as const,
            }));
            // A local judge answers one question at a time.
            const verdicts = turn.then(() =>
              judgePairs(judge, pairs, { saved: new Map(), save: () => {} }, { signal }),
            );
            turn = verdicts.then(
              () => {},
              () => {},
            );
            return verdicts.then((rows) => {
              signal.throwIfAborted();
              if (rows === null) throw new DataError({ ...doc.place, found: 'no verdict' });
              const wins = rows.flatMap(({ preference_b: share }) => share ?? []);
              const agree = rows.flatMap(({ orders_agree: same }) =>
                same === null ? [] : Number(same),
              );
              const longer = answers.map((text) => Number(text.length > request.baseline.length));
              return {
                values: {
                  win_rate: mean(wins),
                  orders_agree: mean(agree),
                  longer: mean(longer),
                  no_verdict: 1 - wins.length / rows.length,
                },
                target: request.baseline,
                filtered: { none: rows.map((row) => row.preference_b) },
              };
            });
          },
        },
        hooks,
      );
    },
  };
}
