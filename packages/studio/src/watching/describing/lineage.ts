// What a run was made from: models, data, rewards and other runs, as a graph.
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve, sep } from 'node:path';
import type { StageRecord } from '@keel/align/runs';
import type { FoundRun } from '../folders/find-runs.ts';
import { optionOf } from './config.ts';
import type { RunFiles } from './run-files.ts';

/** Something that a run was made from, or a run. */
export interface LineageNode {
  id: string;
  kind: 'run' | 'stage' | 'model' | 'data' | 'held-out data' | 'reward' | 'judge';
  label: string;
  /** Hexadecimal; null if nothing recorded it. */
  sha256: string | null;
  /** Of a run, or of a result of one, that is watched, too. */
  run: string | null;
  /** Whether it was in the watched folder, and is there no more: it was moved or removed. */
  gone: boolean;
}

/** `from` was used to make `to`. */
export interface LineageEdge {
  from: string;
  to: string;
  /** The option that names it. */
  label: string;
}

/** A graph without cycles, unless a run was made from its own result. */
export interface Lineage {
  nodes: LineageNode[];
  edges: LineageEdge[];
}

/** Options that name what a run is made from. */
const sources: readonly { key: string; kind: LineageNode['kind'] }[] = [
  { key: 'model', kind: 'model' },
  { key: 'adapter', kind: 'model' },
  { key: 'reference', kind: 'model' },
  { key: 'reward', kind: 'reward' },
  { key: 'gold', kind: 'reward' },
  { key: 'judge', kind: 'judge' },
  { key: 'data', kind: 'data' },
  { key: 'eval_data', kind: 'held-out data' },
];

/** Most runs that are followed back. */
const MOST = 100;

/** The lineage of a run, back to models and files that no watched run made. */
export function lineageOf(
  run: FoundRun,
  runs: ReadonlyMap<string, FoundRun>,
  files: RunFiles,
): Lineage {
  const graph = new Graph();
  const queue = [run];
  const seen = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (seen.has(next.id) || seen.size >= MOST) continue;
    seen.add(next.id);
    const stages = files.stages(next);
    if (stages !== null) {
      addStages(graph, next, stages, { runs, files });
      continue;
    }
    const to = runNode(graph, next);
    for (const source of sourcesOf(next, files)) {
      const { owner, gone } = placeOf(source.name, next, runs, files);
      if (owner !== null && owner.id !== next.id) {
        graph.edge(runNode(graph, owner), to, source.key);
        queue.push(owner);
      } else graph.edge(graph.node(source.kind, source.name, source.sha256, gone), to, source.key);
    }
  }
  return graph.result;
}

class Graph {
  readonly #nodes = new Map<string, LineageNode>();
  readonly #edges = new Map<string, LineageEdge>();

  add(node: LineageNode): string {
    if (!this.#nodes.has(node.id)) this.#nodes.set(node.id, node);
    return node.id;
  }

  node(kind: LineageNode['kind'], label: string, sha256: string | null, gone = false): string {
    return this.add({ id: `${kind}:${label}`, kind, label, sha256, run: null, gone });
  }

  edge(from: string, to: string, label: string): void {
    this.#edges.set(`${from}\0${to}\0${label}`, { from, to, label });
  }

  get result(): Lineage {
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }
}

const runNode = (graph: Graph, { id }: FoundRun): string =>
  graph.add({ id: `run:${id}`, kind: 'run', label: id, sha256: null, run: id, gone: false });

interface Source {
  key: string;
  kind: LineageNode['kind'];
  name: string;
  sha256: string | null;
}

function sourcesOf(run: FoundRun, files: RunFiles): Source[] {
  const config = files.config(run);
  const environment = files.environment(run);
  const hashes: Record<string, string> = {
    ...environment?.modelHashes,
    ...environment?.dataHashes,
  };
  return sources.flatMap(({ key, kind }) =>
    [optionOf(config, key)].flat().flatMap((value): Source[] => {
      const name = nameOf(value);
      // `initial` is the policy before training, and `none` no reference.
      if (name === null || (key === 'reference' && /^[a-z]+$/.test(name))) return [];
      return [{ key, kind, name, sha256: hashes[name] ?? null }];
    }),
  );
}

/** Text of an option that names a file or a model; of a structured one, the names in it. */
function nameOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value !== 'object' || value === null) return null;
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** The watched run in whose folder a source of another run is, and whether it is there no more. */
function placeOf(
  name: string,
  user: FoundRun,
  runs: ReadonlyMap<string, FoundRun>,
  files: RunFiles,
): { owner: FoundRun | null; gone: boolean } {
  const path = name.replace(/^\w+:/, '');
  const folder = files.record(user)?.folder ?? process.cwd();
  const named = resolve(isAbsolute(path) ? path : join(folder, path));
  const owner =
    deepest(files.root.idOf(named), runs) ??
    deepest(files.root.idOf(movedTo(named, user, files) ?? named), runs);
  const gone = owner === null && files.root.idOf(named) !== null && !existsSync(named);
  return { owner, gone };
}

/**
 * Where a path is now if it was moved together with a run that names it; null if that run is where
 * it was made.
 */
function movedTo(path: string, user: FoundRun, files: RunFiles): string | null {
  const made = files.madeAt(user);
  if (made === null || made === user.path) return null;
  const [before, now] = [made.split(sep), user.path.split(sep)];
  while (before.length > 0 && before.at(-1) === now.at(-1)) {
    before.pop();
    now.pop();
  }
  const [old, moved] = [before.join(sep), now.join(sep)];
  return path.startsWith(`${old}${sep}`) ? `${moved}${path.slice(old.length)}` : null;
}

function deepest(id: string | null, runs: ReadonlyMap<string, FoundRun>): FoundRun | null {
  for (let rest = id; rest !== null && rest !== ''; ) {
    const found = runs.get(rest);
    if (found !== undefined && found.id !== '.') return found;
    rest = rest.includes('/') ? rest.slice(0, rest.lastIndexOf('/')) : null;
  }
  return null;
}

/** The stages of a recipe, with what each read. */
function addStages(
  graph: Graph,
  recipe: FoundRun,
  stages: Readonly<Record<string, StageRecord>>,
  { runs }: { runs: ReadonlyMap<string, FoundRun>; files: RunFiles },
): void {
  const idOf = (name: string): string => (recipe.id === '.' ? name : `${recipe.id}/${name}`);
  const stageNode = (name: string): string => {
    const run = runs.has(idOf(name)) ? idOf(name) : null;
    const sha256 = stages[name]?.result?.sha256 ?? null;
    const id = `run:${idOf(name)}`;
    return graph.add({ id, kind: 'stage', label: name, sha256, run, gone: false });
  };
  for (const [name, { identity }] of Object.entries(stages)) {
    const to = stageNode(name);
    for (const [key, all] of Object.entries(identity.inputs)) {
      const kind = sources.find((one) => one.key === key)?.kind ?? 'data';
      for (const { name: input, sha256 } of directInputs(all, stages)) {
        const stage = stageOf(input);
        const from = stage === undefined ? graph.node(kind, input, sha256) : stageNode(stage);
        graph.edge(from, to, key);
      }
    }
  }
}

type Inputs = StageRecord['identity']['inputs'][string];

const stageOf = (input: string): string | undefined => /^stages\.([^/]*)/.exec(input)?.[1];

/**
 * An adapter is recorded with the models below it. Those are what another input was made from, so
 * the graph shows them behind that one.
 */
function directInputs(inputs: Inputs, stages: Readonly<Record<string, StageRecord>>): Inputs {
  const below = new Set<string>();
  const add = (input: string, seen: ReadonlySet<string>): void => {
    const stage = stageOf(input);
    if (stage === undefined || seen.has(stage)) return;
    for (const { name } of stages[stage]?.identity.inputs.model ?? []) {
      below.add(name);
      add(name, new Set([...seen, stage]));
    }
  };
  for (const { name } of inputs) add(name, new Set());
  return inputs.filter(({ name }) => !below.has(name));
}

/** Watched runs that were made from a run. */
export function usersOf(
  run: FoundRun,
  runs: ReadonlyMap<string, FoundRun>,
  files: RunFiles,
): string[] {
  return [...runs.values()].flatMap((other) => {
    if (other.id === run.id || other.kind !== 'training') return [];
    const uses = sourcesOf(other, files).some(
      ({ name }) => placeOf(name, other, runs, files).owner?.id === run.id,
    );
    return uses ? [other.id] : [];
  });
}
