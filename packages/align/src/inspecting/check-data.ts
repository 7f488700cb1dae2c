// `keel data check`: describes files of rows, and what training would refuse, cut or skip.
import type { Tokenizer } from '@keel/model';
import { examineRows, type RowFindings, type WalkedRows } from '../checking/examine-rows.ts';
import { pairFacts } from '../checking/pair-lengths.ts';
import type { Lengths } from '../checking/row-facts.ts';
import type { UsedRows } from '../checking/run-data-facts.ts';
import { type DataWarning, dataWarnings, type WarningCode } from '../checking/warnings.ts';
import type { RowReading } from '../config/row-options.ts';
import { DataError } from '../data/data-error.ts';
import { openRows, type RowSource } from '../data/open-rows.ts';
import type { RowKind } from '../data/rows.ts';
import { fittingLength } from '../training/lengths.ts';
import { notePlainRows } from '../training/plain-rows.ts';
import type { Notice } from '../training/run-data.ts';
import { firstRows, guessVerb, isRanking, verbOf } from './guess-verb.ts';
import { type ErrorFacts, ErrorList } from './row-errors.ts';
import { type TokenFindings, tokenPass } from './token-pass.ts';
import { type RowsView, viewOfVerb } from './views.ts';

/** The tokenizer of a model, and its limits. */
export interface CheckedModel {
  name: string;
  tokenizer: Tokenizer;
  /** Most tokens of a row; null: unknown. */
  positions: number | null;
  /** Rows of the embedding; null: unknown. */
  vocabularySize: number | null;
}

export interface CheckOptions extends RowReading {
  data: readonly string[];
  evalData: readonly string[] | null;
  /** The verb whose view is checked; null: the one that the rows are for. */
  verb: string | null;
  /** null: lengths are counted in characters. */
  model: CheckedModel | null;
  maxLength: number | null;
  /** Tokens that prompts must leave room for. */
  maxNewTokens: number;
  /** Errors that are listed; all are counted. */
  maxErrors: number;
  onProgress?(what: string, done: number): void;
}

export interface DataFindings extends RowFindings {
  /** As in `keel <verb>`. */
  verb: string;
  /** Whether it follows from the rows. */
  guessed: boolean;
  files: readonly string[];
  heldOutFiles: readonly string[] | null;
  /** The model of the tokenizer; null: lengths are in characters. */
  model: string | null;
  maxLength: number | null;
  lengths: { training: Lengths; heldOut: Lengths | null };
  /** null without a model. */
  use: { training: UsedRows; heldOut: UsedRows | null } | null;
  errors: { training: ErrorFacts; heldOut: ErrorFacts | null };
  /** Bad rows that other verbs train on. */
  otherVerbs: { verb: string; rows: number }[];
  /** Why the rows as a whole cannot be trained on. */
  refusals: string[];
  warnings: DataWarning[];
}

/** Rows that training would refuse, and reasons against all of them. */
export const faultCount = ({ errors, refusals }: DataFindings): number =>
  errors.training.count + (errors.heldOut?.count ?? 0) + refusals.length;

/**
 * Reads the files as training does, but lists every bad row instead of stopping at the first.
 * @throws DataError, FileError if a file cannot be read, or has no rows
 */
export async function checkData(options: CheckOptions): Promise<DataFindings> {
  const { data, evalData, model, maxLength } = options;
  const first = await firstRows(data, options);
  const verb = options.verb ?? guessVerb(first);
  const view = viewOfVerb(verb, first.some(isRanking));
  const warnings: DataWarning[] = [];
  const refusals: string[] = [];
  await using training = await openChecked(data, view, options);
  await using heldOut = evalData && (await openChecked(evalData, view, options));
  const said = (what: string) => (done: number) => options.onProgress?.(what, done);
  const rows = await examineRows(training.rows, heldOut?.rows ?? null, {
    onProgress: said('rows read'),
  });
  if (training.source !== null) await view.checkRows?.(training.source).catch(refuse);

  const notice: Notice = (text, code = '') => {
    const known = noticeCodes[code.split(',')[0]!];
    if (known !== null) warnings.push({ code: known ?? 'other', text });
  };
  const tokens = { training: null as TokenFindings | null, heldOut: null as TokenFindings | null };
  let fitting = maxLength;
  if (model !== null) {
    const { tokenizer, positions, vocabularySize } = model;
    if (positions !== null) fitting = fittingLength(maxLength, positions, () => {});
    for (const part of ['training', 'heldOut'] as const) {
      const opened = part === 'training' ? training : heldOut;
      if (opened?.source == null) continue;
      notePlainRows(opened.source, tokenizer.chatTemplate, notice);
      const rules = {
        ...{ seed: 0, shuffle: false, maxLength: fitting, positions, vocabularySize },
        ...{
          newTokens: options.maxNewTokens,
          onSkipped: (fault: DataError) => opened.bad.add(fault),
        },
        option: part === 'training' ? ('--data' as const) : ('--eval-data' as const),
      };
      const hooks = { notice, onProgress: said('rows tokenised') };
      tokens[part] = await tokenPass(opened.source, view, tokenizer, rules, hooks).catch(refuse);
    }
  }
  const measured = tokens.training;
  const pairs = measured && pairFacts(measured.pairs, tokens.heldOut?.pairs ?? [], 'tokens');
  const findings: RowFindings = { ...rows, pairs: pairs ?? rows.pairs };
  return {
    ...findings,
    ...{ verb, guessed: options.verb === null, maxLength: fitting },
    files: training.files,
    heldOutFiles: heldOut?.files ?? null,
    model: measured && model!.name,
    lengths: {
      training: measured?.lengths ?? rows.training.lengths,
      heldOut: tokens.heldOut?.lengths ?? rows.heldOut?.lengths ?? null,
    },
    use: measured && { training: measured.use, heldOut: tokens.heldOut?.use ?? null },
    errors: { training: training.bad.facts(), heldOut: heldOut?.bad.facts() ?? null },
    otherVerbs: [...training.others].map(([other, count]) => ({ verb: other, rows: count })),
    refusals,
    warnings: [...dataWarnings(findings), ...warnings],
  };

  function refuse(error: unknown): null {
    if (!(error instanceof Error)) throw error;
    refusals.push(error.message);
    return null;
  }
}

/** Codes of training's notices; null for those that are in the list of errors. */
const noticeCodes: Readonly<Record<string, WarningCode | null>> = {
  'too long': 'too-long',
  cut: 'cut',
  'lost messages': 'lost-text',
  'lost history': 'lost-text',
  'lost prompt': 'lost-text',
  'lost text': 'lost-text',
  'no end token': 'no-end-token',
  'plain-rows': 'plain-rows',
  'bad rows': null,
};

/** The verbs for whose rows a view is, as `verbOf` names them (default: all). */
const verbsOf: Partial<Record<RowKind, readonly string[]>> = {
  supervised: ['sft'],
  preference: ['dpo'],
  ranking: ['dpo', 'reward'],
  judged: ['dpo', 'reward'],
  unpaired: ['kto'],
};

const noRows: WalkedRows = {
  length: 0,
  async *iterate() {},
  place: () => {
    throw new RangeError('there are no rows');
  },
};

interface Opened extends AsyncDisposable {
  /** null if no row is good. */
  source: RowSource<RowKind> | null;
  rows: WalkedRows;
  files: readonly string[];
  bad: ErrorList;
  /** Bad rows that another verb trains on, by the verb. */
  others: Map<string, number>;
}

async function openChecked(
  spec: readonly string[],
  view: RowsView,
  { columns, wrapChat, maxErrors, onProgress }: CheckOptions,
): Promise<Opened> {
  const bad = new ErrorList(maxErrors);
  const others = new Map<string, number>();
  const own = verbsOf[view.kind];
  let count = 0;
  let source: RowSource<RowKind> | null = null;
  try {
    source = await openRows(spec, {
      ...{ kind: view.kind, onBadRow: 'skip', columns, wrapChat, refuse: view.refuse },
      onProgress: ({ rows }) => onProgress?.('rows opened', rows),
      onSkipped(fault, value) {
        count++;
        bad.add(fault);
        const other = verbOf(value);
        if (other === null || own === undefined || own.includes(other)) return;
        others.set(other, (others.get(other) ?? 0) + 1);
      },
    });
  } catch (error) {
    // All rows are bad: they are listed.
    if (!(error instanceof DataError) || count === 0 || error.line !== undefined) throw error;
  }
  return {
    ...{ source, bad, others, rows: source ?? noRows, files: source?.files ?? spec },
    [Symbol.asyncDispose]: async () => source?.close(),
  };
}
