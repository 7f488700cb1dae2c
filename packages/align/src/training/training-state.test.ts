import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AdamW,
  fromTypedArray,
  manualSeed,
  memory,
  randn,
  randomState,
  Sgd,
  type Tensor,
  tidy,
} from '@keel/torch';
import { afterAll, describe, expect, it } from 'vitest';
import {
  loadTrainingState,
  type StatefulParts,
  savedIdentity,
  saveTrainingState,
} from './training-state.ts';
import type { TaskState, TrainingTask } from './training-task.ts';

const root = mkdtempSync(join(tmpdir(), 'keel-state-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  return folder;
};

/** A task with plain values and a tensor that contains NaN. */
function rememberingTask(content: { count: number; known: Float32Array }) {
  const task: TrainingTask & { content: typeof content } = {
    content,
    tokens: 0,
    rows: [],
    step: async () => ({}),
    evaluate: async () => null,
    state: () => ({
      values: { count: task.content.count },
      tensors: new Map([['known', fromTypedArray(task.content.known)]]),
    }),
    check({ values }: TaskState) {
      if (typeof values.count !== 'number') throw new Error('the task wants a count');
    },
    restore({ values, tensors }: TaskState) {
      const known = tensors.get('known')!.toTypedArray() as Float32Array;
      task.content = { count: values.count as number, known };
    },
  };
  return task;
}

interface Saved {
  task: { count?: number };
  random: Record<string, string>;
}

type Parts = StatefulParts & { task: ReturnType<typeof rememberingTask> };

function partsOf(
  seed: number,
  shapes: Record<string, number[]> = { a: [3, 2], 'b.c': [4] },
): Parts {
  manualSeed(seed);
  const parameters = new Map(
    Object.entries(shapes).map(([name, shape]) => [name, randn(shape).setRequiresGrad()] as const),
  );
  const known = Float32Array.from([seed, Number.NaN]);
  return {
    task: rememberingTask({ count: seed, known }),
    parameters,
    optimiser: new AdamW(parameters),
  };
}

/** A step on noise from the random state. */
function step({ parameters, optimiser }: Parts): void {
  tidy(() => {
    for (const parameter of parameters.values())
      parameter.mul(randn(parameter.shape)).sum().backward();
  });
  optimiser.step(0.1);
  optimiser.zeroGrad();
}

const valuesOf = (parameters: Map<string, Tensor>): number[][] =>
  [...parameters.values()].map((one) => one.toArray());

describe('training state', () => {
  it("resumes bit for bit: weights, moments, step, random state, and the task's own state", () => {
    const folder = newFolder();
    const one = partsOf(5);
    step(one);
    step(one);
    saveTrainingState(folder, one);
    step(one);
    const other = partsOf(6);
    loadTrainingState(folder, other);
    expect(other.task.content.count).toBe(5);
    expect([...other.task.content.known]).toEqual([5, Number.NaN]);
    step(other);
    expect(valuesOf(other.parameters)).toEqual(valuesOf(one.parameters));
    expect(other.optimiser.state().step).toBe(3);
  });

  it('has the same bytes for the same state', () => {
    const parts = partsOf(5);
    const [first, second] = [newFolder(), newFolder()];
    saveTrainingState(first, parts);
    saveTrainingState(second, parts);
    for (const name of ['trainer_state.json', 'trainer_state.safetensors']) {
      expect(readFileSync(join(first, name)).equals(readFileSync(join(second, name)))).toBe(true);
    }
  });

  it('leaks no tensors', () => {
    const folder = newFolder();
    const parts = partsOf(5);
    step(parts);
    const before = memory();
    saveTrainingState(folder, parts);
    loadTrainingState(folder, parts);
    expect(memory()).toEqual(before);
  });

  it('of other weights is refused, and nothing is changed', () => {
    const folder = newFolder();
    saveTrainingState(folder, partsOf(5));
    const refused = (shapes: Record<string, number[]>, message: RegExp): void => {
      const parts = partsOf(6, shapes);
      const before = valuesOf(parts.parameters);
      expect(() => loadTrainingState(folder, parts)).toThrow(message);
      expect(valuesOf(parts.parameters)).toEqual(before);
      expect(parts.task.content.count).toBe(6);
    };
    refused({ a: [3, 2], other: [4] }, /checkpoint of other weights: "other" is missing/);
    refused({ a: [3, 2], 'b.c': [5] }, /"b\.c" is \[4\], expected \[5\]/);
    refused({ a: [3, 2] }, /"b\.c" is \[4\], expected none of that name/);
  });

  it.each([
    ['task', (state: Saved) => delete state.task.count, /wants a count/],
    ['random numbers', (state: Saved) => (state.random.cpu = 'AAAA'), /./],
  ])('that the %s cannot take is refused, and nothing is changed', (_, spoil, message) => {
    const folder = newFolder();
    const saved = partsOf(5);
    step(saved);
    saveTrainingState(folder, saved);
    const path = join(folder, 'trainer_state.json');
    const state = JSON.parse(readFileSync(path, 'utf8')) as Saved;
    spoil(state);
    writeFileSync(path, JSON.stringify(state));
    const parts = partsOf(6);
    const everything = () => [
      valuesOf(parts.parameters),
      valuesOf(parts.optimiser.state().tensors),
      parts.optimiser.state().step,
      [...randomState('cpu')],
      parts.task.content.count,
    ];
    const before = everything();
    expect(() => loadTrainingState(folder, parts)).toThrow(message);
    expect(everything()).toEqual(before);
  });

  it('of another optimiser is refused, and nothing is changed', () => {
    const folder = newFolder();
    saveTrainingState(folder, partsOf(5));
    const parts = partsOf(6);
    const { optimiser } = parts;
    const random = [...randomState('cpu')];
    const before = valuesOf(parts.parameters);
    parts.optimiser = new Sgd(parts.parameters);
    expect(() => loadTrainingState(folder, parts)).toThrow(/saved optimiser state/);
    expect([...randomState('cpu')]).toEqual(random);
    expect(valuesOf(parts.parameters)).toEqual(before);
    expect(parts.task.content.count).toBe(6);
    optimiser.dispose();
  });

  it("returns the run's identity if it was saved", () => {
    const folder = newFolder();
    const machine = { precision: 'fp32', device: 'cpu', threads: 1, software: 'a' };
    const identity = { inputs: { '--data': [{ name: 'a', sha256: 'b' }] }, machine };
    saveTrainingState(folder, { ...partsOf(5), identity });
    expect(savedIdentity(folder)).toEqual(identity);
    saveTrainingState(folder, partsOf(5));
    expect(savedIdentity(folder)).toBeUndefined();
  });

  it('whose file is damaged is refused', () => {
    const folder = newFolder();
    saveTrainingState(folder, partsOf(5));
    const path = join(folder, 'trainer_state.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, 40));
    expect(() => loadTrainingState(folder, partsOf(5))).toThrow(/trainer_state\.safetensors/);
  });
});
