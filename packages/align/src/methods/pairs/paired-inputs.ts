// From a model's log-probabilities of a pass to the columns that an objective sees.
import { fromTypedArray, ops, type Steps, type Tensor } from '@keel/torch';
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import { scoredTokens, type TokenisedPair } from '../../batching/tokenise-pair.ts';
import type { ExtraScores, PairedScores } from '../../objectives/paired.ts';
import type { ReferenceLogprobs } from '../../reference/reference.ts';
import type { PairLogprobs } from './score-pairs.ts';

type Columns = Record<string, Tensor>;

/** A pass's numbers, [P] each; the extra ones only where the objective needs them. */
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
  /** Each row's beta, where some rows have their own. */
  betas: Columns;
  /** The probability of each row's label, where some rows have one. */
  labels: Columns;
}

/**
 * @param reference null: zeros
 * @param pairs those of the pass
 * @param beta of rows that do not have their own
 */
export function passColumns(
  policy: PairLogprobs,
  reference: ReferenceLogprobs | null,
  { counts }: PackedPairs,
  pairs: readonly TokenisedPair[],
  beta: number,
): PassColumns {
  const place = { dtype: policy.sums.dtype, device: policy.sums.device };
  const columns = (values: Tensor): [Tensor, Tensor] => {
    const byPair = values.view(-1, 2); // [P, 2]
    return [byPair.select(1, 0), byPair.select(1, 1)];
  };
  const ofModels = (sums: Tensor, part: 'whole' | 'first') => {
    const [policyChosen, policyRejected] = columns(sums);
    // As they are cached, in float32.
    const [referenceChosen, referenceRejected] = columns(
      reference === null
        ? policy.sums.detach().mul(0)
        : fromTypedArray(Float32Array.from(reference[part]!)).to({ device: place.device }),
    );
    return { policyChosen, policyRejected, referenceChosen, referenceRejected };
  };
  const [tokensChosen, tokensRejected] = columns(fromTypedArray(counts).to(place));
  const gaps = pairs.map(({ scoreGap }) => scoreGap ?? Number.NaN);
  const [chosen, rejected] = policy.alignment === null ? [] : columns(policy.alignment);
  return {
    whole: { ...ofModels(policy.sums, 'whole'), tokensChosen, tokensRejected },
    gap: gaps.some(Number.isNaN)
      ? {}
      : { scoreGap: fromTypedArray(Float64Array.from(gaps)).to(place) },
    shared: policy.shared === null ? {} : ofModels(policy.shared, 'first'),
    alignment: chosen && rejected ? { chosen, rejected } : {},
    betas: pairs.some((pair) => pair.beta !== undefined)
      ? { rowBeta: ofRows(pairs, (pair) => pair.beta ?? beta).to({ device: place.device }) }
      : {},
    labels: pairs.some((pair) => pair.labelProbability !== undefined)
      ? { labelProbability: ofRows(pairs, probabilityOf).to({ device: place.device }) }
      : {},
  };
}

/** Not rounded to the model's type: rows are grouped by them. [P] */
const ofRows = (pairs: readonly TokenisedPair[], of: (pair: TokenisedPair) => number): Tensor =>
  fromTypedArray(Float64Array.from(pairs, of));

const probabilityOf = ({ labelProbability = 1 }: TokenisedPair): number => labelProbability;

type StepNumbers = Pick<PairedScores, 'meanTokensChosen'> & Pick<ExtraScores, 'running'>;

/**
 * What the objective sees of a step: the columns of a pass, or, for losses that depend on all pairs
 * of it, those of all passes.
 */
export class StepScores implements Disposable {
  readonly #numbers: StepNumbers;
  /** Columns of all passes, without gradient; empty where one pass is the step. */
  readonly #passes: PassColumns[] = [];

  /** @param pairs those of the step */
  constructor(pairs: readonly TokenisedPair[], running: ExtraScores['running']) {
    this.#numbers = { meanTokensChosen: meanTokensChosen(pairs), running };
  }

  /** Columns that {@link add} takes: without gradient, and without the pass's other tensors. */
  static *detached(scoring: Steps<{ columns: PassColumns }>): Steps<PassColumns> {
    const { columns } = yield* scoring;
    return mapColumns(columns, (tensor) => tensor.detach().clone());
  }

  /** Takes over the columns of the next pass. */
  add(columns: PassColumns): void {
    this.#passes.push(columns);
  }

  ofPass(columns: PassColumns): ObjectiveScores {
    return objectiveScores(columns, this.#numbers);
  }

  /** Those of the whole step. Only the pass's own columns carry a gradient. */
  ofStep(pass: number, own: PassColumns): ObjectiveScores {
    if (this.#passes.length === 0) return this.ofPass(own);
    const passes = this.#passes.with(pass, own);
    return this.ofPass({
      whole: joined(passes.map(({ whole }) => whole as Columns)) as PassColumns['whole'],
      gap: joined(passes.map(({ gap }) => gap)),
      shared: joined(passes.map(({ shared }) => shared)),
      alignment: joined(passes.map(({ alignment }) => alignment)),
      betas: joined(passes.map(({ betas }) => betas)),
      labels: joined(passes.map(({ labels }) => labels)),
    });
  }

  /** The pass's part of what was computed of {@link ofStep}, [P]. */
  partOf(pass: number, values: Tensor): Tensor {
    if (this.#passes.length === 0) return values;
    const sizes = this.#passes.map(({ whole }) => whole.policyChosen.size);
    const before = sizes.slice(0, pass).reduce((sum, size) => sum + size, 0);
    return values.narrow(0, before, sizes[pass]!);
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

/** What an objective did not ask for may be missing. */
type ObjectiveScores = PairedScores & Partial<ExtraScores>;

const objectiveScores = (
  { whole, gap, shared, alignment, betas, labels }: PassColumns,
  step: StepNumbers,
): ObjectiveScores =>
  ({ ...whole, ...gap, ...betas, ...labels, shared, alignment, ...step }) as ObjectiveScores;

/** Mean number of scored tokens in the chosen answers. */
const meanTokensChosen = (pairs: readonly TokenisedPair[]): number =>
  pairs.reduce((sum, pair) => sum + scoredTokens(pair, pair.chosen), 0) / pairs.length;

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
