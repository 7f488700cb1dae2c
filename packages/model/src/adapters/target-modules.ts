import type { Decoder } from '../decoder.ts';
import { linearsOf } from '../decoder-weights.ts';
import type { Linear } from '../linear.ts';
import { linearLayers } from '../loading/named-weights.ts';

/** As in PEFT: a target matches the module's whole name, or its end after a dot. */
export const matchesTarget = (module: string, target: string): boolean =>
  module === target || module.endsWith(`.${target}`);

/**
 * The layers that targets name, in the decoder's order.
 * @throws RangeError naming the existing modules if a target matches none
 */
export function targetedLayers(
  layers: readonly Linear[],
  targets: readonly string[] | 'all-linear',
): Linear[] {
  if (targets === 'all-linear') return [...layers];
  for (const target of targets) {
    if (layers.some(({ name }) => matchesTarget(name, target))) continue;
    throw new RangeError(
      `no linear module is named "${target}"; expected one of ${endings(layers).join(', ')}, a whole name such as ${layers[0]?.name}, or all-linear`,
    );
  }
  if (targets.length === 0) throw new RangeError('an adapter needs at least one target module');
  return layers.filter(({ name }) => targets.some((target) => matchesTarget(name, target)));
}

/**
 * The linear layers of the blocks with these numbers; null: of all blocks.
 * @throws RangeError for a number that no block has
 */
export function layersOfBlocks(decoder: Decoder, blocks: readonly number[] | null): Linear[] {
  if (blocks === null) return linearLayers(decoder);
  const all = decoder.weights.blocks;
  if (blocks.length === 0) throw new RangeError('an adapter needs at least one layer');
  const chosen = [...new Set(blocks)].sort((a, b) => a - b);
  return chosen.flatMap((index) => {
    const block = all[index];
    if (block !== undefined) return linearsOf(block);
    throw new RangeError(
      `there is no layer ${index}: this model has layers 0 to ${all.length - 1}`,
    );
  });
}

/** Numbers of the blocks that contain any of these layers; null if all blocks do. */
export function blocksOfLayers(decoder: Decoder, layers: readonly Linear[]): number[] | null {
  const chosen = new Set(layers);
  const holds = decoder.weights.blocks.map((block) =>
    linearsOf(block).some((layer) => chosen.has(layer)),
  );
  if (holds.every(Boolean)) return null;
  return holds.flatMap((held, index) => (held ? [index] : []));
}

/** The shortest target list that matches exactly these layers. */
export function shortestTargets(all: readonly Linear[], chosen: readonly Linear[]): string[] {
  const isChosen = new Set(chosen);
  const targets = new Set<string>();
  for (const layer of chosen) {
    const parts = layer.name.split('.');
    const suffixes = parts.map((_, i) => parts.slice(parts.length - 1 - i).join('.'));
    // The whole name matches nothing else, so there is always one.
    const fitting = suffixes.find((suffix) =>
      all.every((other) => !matchesTarget(other.name, suffix) || isChosen.has(other)),
    );
    targets.add(fitting ?? layer.name);
  }
  return [...targets];
}

const endings = (layers: readonly Linear[]): string[] => [
  ...new Set(layers.map(({ name }) => name.slice(name.lastIndexOf('.') + 1))),
];
