// From what a model says of a pass to the columns that an objective sees.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import { scoredTokens, type TokenisedPair } from '../../batching/tokenise-pair.ts';
import type { ExtraScores, PairedScores } from '../../objectives/paired.ts';
import type { PairLogprobs } from '../../reference/score-pairs.ts';

type Columns = Record<string, Tensor>;

/** A pass's numbers, [P] each; the extra ones where they were asked for. */
export interface PassColumns {
  whole: Pick<
    PairedScores,
    | 'policyChosen'
    | 'policyRejected'
    | 'referenceChosen'
    | 'referenceRejected'
    | 'tokensChosen'
    | 'tokensRejected'
  >;
  gap: Columns;
  shared: Columns;
  alignment: Columns;
  /** Where rows have betas of their own: those, and `beta` for the others. */
  betas: Columns;
}

/**
 * @param beta of rows that have none of their own
 * @param reference [P, 2], or [P, 4] with the first tokens' part; null: zeros
 * @param pairs those of the pass
 */
export function passColumns(
  policy: PairLogprobs,
  reference: Tensor | null,
  { counts }: PackedPairs,
  pairs: readonly TokenisedPair[],
  beta: number,
): PassColumns {
  const place = { dtype: policy.sums.dtype, device: policy.sums.device };
  const columns = (values: Tensor): [Tensor, Tensor] => {
    const byPair = values.view(-1, 2); // [P, 2]
    return [byPair.select(1, 0), byPair.select(1, 1)];
  };
  const ofReference = (part: number): [Tensor, Tensor] =>
    reference === null
      ? columns(policy.sums.detach().mul(0))
      : [reference.select(1, part), reference.select(1, part + 1)];
  const ofModels = (sums: Tensor, part: number) => {
    const [policyChosen, policyRejected] = columns(sums);
    const [referenceChosen, referenceRejected] = ofReference(part);
    return { policyChosen, policyRejected, referenceChosen, referenceRejected };
  };
  const [tokensChosen, tokensRejected] = columns(fromTypedArray(counts).to(place));
  const gaps = pairs.map(({ scoreGap }) => scoreGap ?? Number.NaN);
  const [chosen, rejected] = policy.alignment === null ? [] : columns(policy.alignment);
  return {
    whole: { ...ofModels(policy.sums, 0), tokensChosen, tokensRejected },
    gap: gaps.some(Number.isNaN)
      ? {}
      : { scoreGap: fromTypedArray(Float64Array.from(gaps)).to(place) },
    shared: policy.shared === null ? {} : ofModels(policy.shared, 2),
    alignment: chosen && rejected ? { chosen, rejected } : {},
    betas: pairs.some((pair) => pair.beta !== undefined)
      ? { rowBeta: ofRows(pairs, beta).to({ device: place.device }) }
      : {},
  };
}

/** Not rounded to the model's type: they are options, and rows of one beta are looked for. */
const ofRows = (pairs: readonly TokenisedPair[], beta: number): Tensor =>
  fromTypedArray(Float64Array.from(pairs, (pair) => pair.beta ?? beta)); // [P]

/** What the objective sees of them. What it did not ask for may be missing. */
export const objectiveScores = (
  { whole, gap, shared, alignment, betas }: PassColumns,
  step: { meanTokensChosen: number; running: ExtraScores['running'] },
): PairedScores & Partial<ExtraScores> =>
  ({ ...whole, ...gap, ...betas, shared, alignment, ...step }) as PairedScores &
    Partial<ExtraScores>;

/** Mean number of scored tokens in the chosen answers. */
export const meanTokensChosen = (pairs: readonly TokenisedPair[]): number =>
  pairs.reduce((sum, pair) => sum + scoredTokens(pair, pair.chosen), 0) / pairs.length;

/**
 * The columns of all passes of a step without gradient, for losses that depend on all pairs of it.
 */
export class StepColumns implements Disposable {
  readonly #passes: PassColumns[] = [];

  add(columns: PassColumns): void {
    this.#passes.push(mapColumns(columns, (tensor) => tensor.detach().clone().keep()));
  }

  /** Those of the whole step, with a pass's own in its place: only these carry a gradient. */
  with(place: number, own: PassColumns): PassColumns {
    const passes = this.#passes.with(place, own);
    return {
      whole: joined(passes.map(({ whole }) => whole as Columns)) as PassColumns['whole'],
      gap: joined(passes.map(({ gap }) => gap)),
      shared: joined(passes.map(({ shared }) => shared)),
      alignment: joined(passes.map(({ alignment }) => alignment)),
      betas: joined(passes.map(({ betas }) => betas)),
    };
  }

  /** A pass's part of what was computed of the whole step, [P] */
  ownPart(place: number, values: Tensor): Tensor {
    const sizes = this.#passes.map(({ whole }) => whole.policyChosen.size);
    const before = sizes.slice(0, place).reduce((sum, size) => sum + size, 0);
    return values.narrow(0, before, sizes[place]!);
  }

  [Symbol.dispose](): void {
    for (const columns of this.#passes) {
      mapColumns(columns, (tensor) => {
        tensor.dispose();
        return tensor;
      });
    }
  }
}

function joined(parts: readonly Columns[]): Columns {
  const names = Object.keys(parts[0]!).filter((name) => parts.every((part) => name in part));
  return Object.fromEntries(
    names.map((name) => [
      name,
      ops.cat(
        parts.map((part) => part[name]!),
        0,
      ),
    ]),
  );
}

function mapColumns(columns: PassColumns, change: (column: Tensor) => Tensor): PassColumns {
  const mapped = Object.entries(columns).map(([part, own]) => [
    part,
    Object.fromEntries(Object.entries(own as Columns).map(([name, one]) => [name, change(one)])),
  ]);
  return Object.fromEntries(mapped) as PassColumns;
}
