import { defineOptions, onlineShape, option } from '@keel/align/config';
import { z } from 'zod';
import { callShape, dataShape, dryRunShape, machineShape, modelShape } from './shared.ts';

const labels = 'Labels';

const schema = z
  .strictObject({
    data: onlineShape.data,
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    wrapChat: dataShape.wrapChat,
    limit: option(z.number().int().min(1).nullable().default(null), {
      description:
        'label only this many pairs from the start, or prompts with --pairing best-worst',
      group: labels,
      value: 'n',
      common: true,
      shownDefault: 'all',
    }),
    judge: option(z.string().min(1), {
      description:
        'who labels: a spec (YAML, JSON), model:NAME, endpoint:MODEL, reward:REWARD, module.ts#name or program:COMMAND',
      group: labels,
      value: 'judge',
      common: true,
    }),
    rubric: option(z.string().min(1).nullable().default(null), {
      description: 'YAML or JSON file with criteria, scale, questions and examples for the judge',
      group: labels,
      reads: 'file',
      shownDefault: "the judge's own",
    }),
    constitution: option(z.string().min(1).nullable().default(null), {
      description:
        "file of principles: Keel's YAML, or a JSON list of questions as in Bai et al. 2022",
      group: labels,
      reads: 'file',
      common: true,
      shownDefault: "Keel's own",
    }),
    principlesPerPair: option(z.number().int().min(1).nullable().default(null), {
      description:
        'principles that are drawn for each pair; the judge is asked twice under each of them',
      group: labels,
      value: 'n',
      common: true,
      shownDefault: 'all',
    }),
    pairing: option(z.enum(['drawn', 'best-worst']).default('drawn'), {
      description:
        'pairs of several answers to a prompt: drawn, and compared; or the best with the worst, after the judge has rated all of them',
      group: labels,
      common: true,
    }),
    lengthGuard: option(z.number().min(0).lt(0.5).default(0), {
      description:
        "with best-worst, ratings within this share of a prompt's range count as equal: the shortest of the best and the longest of the worst are paired",
      group: labels,
      value: 'share',
    }),
    pairsPerPrompt: option(z.number().int().min(1).default(1), {
      description: 'pairs that are drawn of the answers to a prompt, if rows are not pairs',
      group: labels,
      value: 'n',
      common: true,
    }),
    clamp: option(
      z
        .array(z.number().min(0).max(1))
        .length(2)
        .refine(([low, high]) => low! < high!, 'the lower bound first')
        .nullable()
        .default(null),
      {
        description:
          'bounds of each verdict, as in 0.4,0.6 for a judge that writes its reasons first',
        group: labels,
        shownDefault: 'none',
      },
    ),
    human: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        "preference rows by people: they replace the judge's labels of the same pairs, and are added",
      group: labels,
      reads: 'rows',
      shownDefault: 'none',
    }),
    judgeCache: option(z.string().min(1).nullable().default(null), {
      description: 'folder in which verdicts are cached, so that none is paid for twice; off: none',
      group: labels,
      value: 'folder',
      shownDefault: "verdicts in Keel's cache",
    }),
    retryFailed: option(z.boolean().default(false), {
      description: 'ask again where an earlier call got no verdict',
      group: labels,
      flagOnly: true,
    }),
    templateDate: modelShape.templateDate,
    seed: option(z.number().int().min(0).default(42), {
      description: 'seed for drawing principles and pairs',
      group: labels,
    }),
    output: option(z.string().min(1), {
      description:
        'JSON Lines file for the rows; labels so far are in <file>.partial, and the same command resumes from it',
      group: 'Output',
      value: 'file',
    }),
    overwrite: option(z.boolean().default(false), {
      description: 'replace the result and the labels of an earlier command',
      group: 'Command line only',
      flagOnly: true,
    }),
    ...machineShape,
    ...callShape,
    ...dryRunShape,
  })
  .check(({ value, issues }) => {
    const given = {
      constitution: value.constitution !== null,
      principlesPerPair: value.principlesPerPair !== null,
      clamp: value.clamp !== null,
      pairsPerPrompt: value.pairsPerPrompt !== 1,
    };
    const best = value.pairing === 'best-worst';
    const unused = best
      ? Object.entries(given).flatMap(([name, is]) => (is ? [name] : []))
      : value.lengthGuard === 0
        ? []
        : ['lengthGuard'];
    for (const name of unused) {
      const message = best
        ? 'has no effect with --pairing best-worst, for which answers are rated one by one. Remove one of the two'
        : 'has an effect only with --pairing best-worst';
      issues.push({ code: 'custom', path: [name], message, input: value });
    }
  });

export const definition = defineOptions('label', schema, { complete: (options) => options });

export type LabelVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel label --data answers.jsonl --judge endpoint:gpt-4o-mini --principles-per-pair 4 --output labelled.jsonl';
