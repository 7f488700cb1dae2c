// Everything that a run needs to resume bit for bit, except the files of the weights.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FileError,
  fileError,
  openSafetensors,
  type StoredDType,
  writeSafetensors,
} from '@keel/model';
import {
  assignElements,
  type DType,
  fromBytes,
  noGrad,
  type Optimiser,
  randomState,
  setRandomState,
  type Tensor,
  tidy,
  type UnreadTensor,
  withElements,
} from '@keel/torch';
import type { FileHash } from '../data/open-rows.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import type { TaskState, TrainingTask } from './training-task.ts';

export interface StatefulParts {
  task: TrainingTask;
  /** Trained parameters by name. */
  parameters: Map<string, Tensor>;
  optimiser: Optimiser;
  /** What the run is made of, for {@link savedIdentity}. */
  identity?: RunIdentity | undefined;
  /** Where the loop is, for {@link savedProgress}. */
  progress?: LoopProgress;
  /** Saved in place of what task and random numbers are now. */
  captured?: CapturedState | undefined;
}

/** What a run is made of; its files are compared when it is resumed. */
export interface RunIdentity {
  /** By the option that named them; they must be the same when the run is resumed. */
  inputs: Record<string, FileHash[]>;
  /** Most tokens of a pass; null where rows decide. Chosen once: a resumed run has the same. */
  microBatchTokens?: number | null;
  /** What changes the last bits of results. */
  machine: {
    precision: string;
    device: string;
    threads: number;
    /** LibTorch and kernels. */
    software: string;
    /** That train together; absent for one. */
    processes?: number;
  };
}

/** What the loop remembers beside its step. */
export interface LoopProgress {
  /** Steps of the whole run as it was planned: schedules follow them. */
  totalSteps: number;
  /** An evaluation after this step has not been made. */
  evaluationDue: boolean;
}

/** A copy of a task's state and of the random numbers' at one moment, on the host. */
export interface CapturedState {
  values: Record<string, unknown>;
  tensors: { name: string; dtype: StoredDType; shape: number[]; data: Uint8Array }[];
  random: Record<string, string>;
}

const STATE = 'trainer_state.json';
const TENSORS = 'trainer_state.safetensors';
/** The dtypes that states are saved in, by their names in safetensors. */
export const stored: Partial<Record<DType, StoredDType>> = {
  float32: 'F32',
  float64: 'F64',
  uint8: 'U8',
  bfloat16: 'BF16',
  int64: 'I64',
};
export const loaded = new Map(
  Object.entries(stored).map(([dtype, name]) => [name, dtype as DType] as const),
);

/**
 * Copies what a step changes before the optimiser moves: so a step that fails can be as if it had
 * not begun.
 */
export function captureState({
  task,
  parameters,
}: Pick<StatefulParts, 'task' | 'parameters'>): CapturedState {
  return tidy(() => {
    const { values, tensors } = task.state();
    return {
      values: structuredClone(values),
      tensors: [...tensors].map(([name, tensor]) => ({
        ...{ name, dtype: stored[tensor.dtype]!, shape: [...tensor.shape] },
        data: bytesOf(tensor),
      })),
      random: randomStates(parameters),
    };
  });
}

export function saveTrainingState(folder: string, parts: StatefulParts): void {
  tidy(() => save(folder, parts));
}

function save(folder: string, parts: StatefulParts): void {
  const { parameters, optimiser, identity, progress } = parts;
  const { values, tensors: taskTensors, random } = parts.captured ?? captureState(parts);
  const optimiserState = optimiser.state();
  function* tensors() {
    for (const [group, source] of [
      ['parameter', parameters],
      ['optimiser', optimiserState.tensors],
    ] as const) {
      for (const [name, tensor] of source) {
        const about = { dtype: stored[tensor.dtype]!, shape: [...tensor.shape] };
        const data = (): Uint8Array => withElements(tensor, bytesOf);
        yield { name: `${group}/${name}`, ...about, data };
      }
    }
    for (const { name, data, ...about } of taskTensors) {
      yield { name: `task/${name}`, ...about, data: () => data };
    }
  }
  writeSafetensors(join(folder, TENSORS), tensors());
  const state = {
    identity,
    progress,
    task: values,
    optimiserStep: optimiserState.step,
    optimiserMissed: optimiserState.missed,
    random,
  };
  writeFileAtomic(join(folder, STATE), `${JSON.stringify(state, encodeNumber, 2)}\n`);
}

/** JSON has neither NaN nor infinities nor -0, and a mean over nothing is NaN. */
function encodeNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  if (Object.is(value, -0)) return { $number: '-0' };
  return Number.isFinite(value) ? value : { $number: String(value) };
}

function decodeNumber(_key: string, value: unknown): unknown {
  const text = (value as { $number?: unknown } | null)?.$number;
  return typeof text === 'string' ? Number(text) : value;
}

interface SavedState {
  identity?: RunIdentity;
  progress?: LoopProgress;
  task: TaskState['values'];
  optimiserStep: number;
  optimiserMissed?: Record<string, number>;
  random: Record<string, string>;
}

/** @throws FileError, Error naming the file where it cannot be read or is not what Keel writes */
function readState(folder: string): SavedState {
  const path = join(folder, STATE);
  const refuse = (what: string, cause?: unknown): Error =>
    new Error(
      `${path}: ${what}, so the checkpoint cannot be resumed. Restore it from a copy, or remove ${folder} to resume from an older one`,
      { cause },
    );
  let state: Partial<SavedState> | null;
  try {
    state = JSON.parse(readFileSync(path, 'utf8'), decodeNumber);
  } catch (cause) {
    const known = fileError(cause, { path, use: 'read' });
    if (known instanceof FileError) throw known;
    throw refuse('is not valid JSON', cause);
  }
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  if (!isObject(state) || Array.isArray(state)) throw refuse('is not a JSON object');
  if (!isObject(state!.task)) throw refuse('has no "task"');
  if (!isObject(state!.random)) throw refuse('has no "random"');
  if (!Number.isInteger(state!.optimiserStep)) throw refuse('has no whole number "optimiserStep"');
  return state as SavedState;
}

export const bytesOf = (tensor: Tensor): Uint8Array => {
  const array = tensor.toTypedArray();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
};

const randomStates = (parameters: ReadonlyMap<string, Tensor>): Record<string, string> =>
  Object.fromEntries(
    devicesOf(parameters).map((device) => [
      device,
      Buffer.from(randomState(device)).toString('base64'),
    ]),
  );

/** Where the loop of a checkpoint's run was; undefined where the checkpoint does not tell. */
export function savedProgress(folder: string): LoopProgress | undefined {
  return readState(folder).progress;
}

/** What the run of a checkpoint was made of; undefined where the checkpoint does not tell. */
export function savedIdentity(folder: string): RunIdentity | undefined {
  return readState(folder).identity;
}

/**
 * @throws FileError, Error when the state cannot be read, or is of another model, adapter,
 *   optimiser or task; then nothing is changed
 */
export function loadTrainingState(
  folder: string,
  { task, parameters, optimiser }: StatefulParts,
): void {
  const state = readState(folder);
  using file = openSafetensors(join(folder, TENSORS));
  tidy(() =>
    noGrad(() => {
      // The largest tensors are read one by one, when they are copied.
      const found = {
        parameter: new Map<string, UnreadTensor>(),
        optimiser: new Map<string, UnreadTensor>(),
        task: new Map<string, UnreadTensor>(),
      };
      for (const name of file.names()) {
        const slash = name.indexOf('/');
        const { dtype, shape } = file.info(name);
        const group = found[name.slice(0, slash) as keyof typeof found];
        const type = loaded.get(dtype);
        if (group === undefined || type === undefined) {
          throw new Error(
            `${join(folder, TENSORS)}: the tensor ${JSON.stringify(name)} (${dtype}) is not one that Keel writes. ` +
              `Restore the file from a copy, or remove ${folder} to resume from an older checkpoint`,
          );
        }
        const read = (): Tensor => fromBytes(file.read(name), type, shape);
        group.set(name.slice(slash + 1), { shape, dtype: type, read });
      }
      refuseOtherWeights(folder, parameters, found.parameter);
      const tensors = new Map([...found.task].map(([name, one]) => [name, one.read()]));
      const taskState = { values: state.task, tensors };
      task.check(taskState);
      const devices = devicesOf(parameters);
      const before = devices.map((device) => [device, randomState(device)] as const);
      try {
        for (const device of devices) {
          const random = state.random[device];
          if (random !== undefined)
            setRandomState(Uint8Array.from(Buffer.from(random, 'base64')), device);
        }
        optimiser.restore({
          step: state.optimiserStep,
          tensors: found.optimiser,
          ...(state.optimiserMissed && { missed: state.optimiserMissed }),
        });
      } catch (error) {
        for (const [device, random] of before) setRandomState(random, device);
        throw error;
      }
      // From here on everything has been checked.
      for (const [name, one] of parameters) {
        using saved = found.parameter.get(name)!.read();
        assignElements(one, saved);
      }
      task.restore(taskState);
    }),
  );
}

function refuseOtherWeights(
  folder: string,
  own: ReadonlyMap<string, Tensor>,
  saved: ReadonlyMap<string, UnreadTensor>,
): void {
  for (const name of new Set([...own.keys(), ...saved.keys()])) {
    const shapes = [saved, own].map((from) => from.get(name)?.shape);
    const [found, expected] = shapes.map((shape) => (shape ? `[${shape}]` : 'missing'));
    if (found === expected) continue;
    throw new Error(
      `${folder} is a checkpoint of other weights: "${name}" is ${found}, expected ${shapes[1] ? expected : 'none of that name'}`,
    );
  }
}

/** Devices whose random numbers training draws. */
const devicesOf = (parameters: ReadonlyMap<string, Tensor>): string[] => [
  ...new Set(['cpu', ...[...parameters.values()].map(({ device }) => device)]),
];
