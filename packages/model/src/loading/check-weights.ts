import type { DecoderConfig } from '../decoder-config.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { SCORE_WEIGHT } from '../heads/score-head.ts';
import { type PlannedModule, plannedModules } from './module-plan.ts';
import type { WeightSource } from './weight-source.ts';

// Buffers that older versions of transformers saved beside the weights.
const buffers = /(\.rotary_emb\.inv_freq|^rope_freqs\.weight|^rope_factors_(long|short)\.weight)$/;
const causalMasks = /\.attn\.(bias|masked_bias)$/;

/**
 * Holds a checkpoint against its configuration: every tensor there, of the right shape, and none besides.
 * Nothing is read, so this costs the same for a model of any size.
 * @param scoreHead whether it is a sequence classifier, with a scalar head of any number of labels
 * @throws CheckpointError naming the file and the tensor
 */
export function checkWeights(
  source: WeightSource,
  config: DecoderConfig,
  { scoreHead = false } = {},
): void {
  const known = new Set<string>();
  if (scoreHead) {
    checkTensor(source, SCORE_WEIGHT, [source.shape(SCORE_WEIGHT)?.[0] ?? 1, config.hiddenSize]);
    known.add(SCORE_WEIGHT);
  }
  const biases = new Map<string, PlannedModule[]>();
  for (const module of plannedModules(config)) {
    const { name, kind, shape, bias } = module;
    const stored = kind === 'linear' && source.transposedLinears ? shape.toReversed() : shape;
    checkTensor(source, `${name}.weight`, stored);
    known.add(`${name}.weight`);
    if (bias === 'none') continue;
    if (bias === 'required' || source.shape(`${name}.bias`) !== null) {
      checkTensor(source, `${name}.bias`, shape.slice(0, 1));
      known.add(`${name}.bias`);
    }
    const place = name.replace(/\.\d+\./, '.#.');
    biases.set(place, [...(biases.get(place) ?? []), module]);
  }
  for (const modules of biases.values()) checkBiases(source, modules);
  const isHarmless = (name: string): boolean =>
    buffers.test(name) ||
    (config.tieEmbeddings && name === `${config.modules.head}.weight`) ||
    (config.modules.positions !== undefined && causalMasks.test(name));
  const extra = source.names().filter((name) => !known.has(name) && !isHarmless(name));
  if (extra.length > 0) {
    const shown = extra.slice(0, 8).map((name) => `"${source.nameInFile(name)}"`);
    throw new CheckpointError(
      { file: source.path },
      `holds ${extra.length} tensors that a ${config.family} model of this configuration does not have: ${shown.join(', ')}${extra.length > shown.length ? ', …' : ''}`,
    );
  }
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

/** The same module of all layers has a bias, or of none: else one was lost. */
function checkBiases(source: WeightSource, modules: readonly PlannedModule[]): void {
  const has = ({ name }: PlannedModule): boolean => source.shape(`${name}.bias`) !== null;
  const present = modules.find(has);
  const absent = modules.find((module) => !has(module));
  if (present === undefined || absent === undefined) return;
  throw new CheckpointError(
    { file: source.path, tensor: source.nameInFile(`${absent.name}.bias`) },
    `is missing, though "${source.nameInFile(`${present.name}.bias`)}" is there`,
  );
}
