import type { DecoderConfig } from '../decoder-config.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { SCORE_WEIGHT } from '../heads/score-head.ts';
import { plannedModules } from './module-plan.ts';
import type { WeightSource } from './weight-source.ts';

export interface CheckOptions {
  /**
   * The checkpoint is a sequence classifier, with a scalar head of any number of labels and no use
   * for a language head.
   */
  scoreHead?: boolean;
}

/**
 * Checks a checkpoint against its configuration: every tensor must be present with the right shape,
 * and there must be no others. No weights are read, so the cost does not depend on the model's
 * size.
 * @throws CheckpointError naming the file and the tensor
 */
export function checkWeights(
  source: WeightSource,
  config: DecoderConfig,
  { scoreHead = false }: CheckOptions = {},
): void {
  refusePrefix(source, config);
  const known = new Set<string>();
  const check = (name: string, shape: readonly number[]): void => {
    checkTensor(source, name, shape);
    known.add(name);
  };
  if (scoreHead) check(SCORE_WEIGHT, [source.shape(SCORE_WEIGHT)?.[0] ?? 1, config.hiddenSize]);
  for (const { name, kind, shape, bias } of plannedModules(config)) {
    const stored = kind === 'linear' && source.transposedLinears ? shape.toReversed() : shape;
    check(`${name}.weight`, stored);
    if (bias) check(`${name}.bias`, shape.slice(0, 1));
  }
  // A classifier's file may still contain the head of its language model. A tied head is compared
  // when the file is opened.
  if (config.tieEmbeddings) known.add(`${config.modules.head}.weight`);
  const extra = source.names().filter((name) => !known.has(name) && !source.isBuffer(name));
  if (extra.length === 0) return;
  const shown = extra.slice(0, 8).map((name) => `"${source.nameInFile(name)}"`);
  const more = extra.length > shown.length ? ', …' : '';
  throw new CheckpointError(
    { file: source.path },
    `has ${extra.length} tensors that a ${config.family} model with this config.json does not have: ${shown.join(', ')}${more}${hint(extra, scoreHead)}`,
  );
}

function hint(extra: readonly string[], scoreHead: boolean): string {
  if (extra.every((name) => /\.bias$/.test(name))) {
    return '. In families with attention_bias and mlp_bias, config.json sets which modules have a bias';
  }
  if (!scoreHead && extra.some((name) => /^(score|classifier|v_head|value_head)\./.test(name))) {
    return '. Apart from the language head, Keel reads only "score.weight", if architectures names a ForSequenceClassification class';
  }
  return '';
}

/** A wrapped model has all names, behind a prefix. */
function refusePrefix(source: WeightSource, { modules }: DecoderConfig): void {
  const embedding = `${modules.embedding}.weight`;
  if (source.shape(embedding) !== null) return;
  const bare = embedding.slice(embedding.indexOf('.') + 1);
  const wrapped = source
    .names()
    .map((name) => source.nameInFile(name))
    .find((name) => name.endsWith(`.${embedding}`) || name.endsWith(`.${bare}`));
  if (wrapped === undefined) return;
  const prefix = wrapped.slice(0, -(wrapped.endsWith(embedding) ? embedding : bare).length);
  throw new CheckpointError(
    { file: source.path, tensor: wrapped },
    `is named with the prefix "${prefix}", as a wrapped model saves it (torch.compile, DDP, PEFT, a multimodal model). Save the language model itself: unwrap it, then save_pretrained`,
  );
}

function checkTensor(source: WeightSource, name: string, expected: readonly number[]): void {
  const found = source.shape(name);
  const problem = { file: source.path, tensor: source.nameInFile(name) };
  if (found === null) {
    throw new CheckpointError(problem, `is missing, expected shape [${expected.join(', ')}]`);
  }
  if (found.length !== expected.length || found.some((size, i) => size !== expected[i])) {
    throw new CheckpointError(
      problem,
      `has shape [${found.join(', ')}], expected [${expected.join(', ')}]`,
    );
  }
}
