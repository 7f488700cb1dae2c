// Everything but the weights' own files that a run needs to go on bit for bit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type StoredDType, writeSafetensors } from '@keel/model';
import {
  type DType,
  fromBytes,
  noGrad,
  type Optimiser,
  randomState,
  setRandomState,
  type Tensor,
  tidy,
} from '@keel/torch';
import { writeFileAtomic } from '../runs/atomic-write.ts';
import type { RunIdentity } from './run-identity.ts';
import type { TrainingTask } from './training-task.ts';

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
const stored: Partial<Record<DType, StoredDType>> = {
  float32: 'F32',
  float64: 'F64',
  uint8: 'U8',
  bfloat16: 'BF16',
  int64: 'I64',
};
const loaded = new Map(
  Object.entries(stored).map(([dtype, name]) => [name, dtype as DType] as const),
);

/** Copies what a step changes before the optimiser moves: so a step that fails can be as if it had not begun. */
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
        yield { name: `${group}/${name}`, ...about, data: () => bytesOf(tensor) };
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
  writeFileAtomic(join(folder, STATE), `${JSON.stringify(state, null, 2)}\n`);
}

const bytesOf = (tensor: Tensor): Uint8Array => {
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
  return JSON.parse(readFileSync(join(folder, STATE), 'utf8')).progress;
}

/** What the run of a checkpoint was made of; undefined where the checkpoint does not tell. */
export function savedIdentity(folder: string): RunIdentity | undefined {
  return JSON.parse(readFileSync(join(folder, STATE), 'utf8')).identity;
}

/** @throws Error when the state is of another model, adapter, optimiser or task; then nothing is changed */
export function loadTrainingState(
  folder: string,
  { task, parameters, optimiser }: StatefulParts,
): void {
  const state = JSON.parse(readFileSync(join(folder, STATE), 'utf8'));
  using file = openSafetensors(join(folder, TENSORS));
  tidy(() =>
    noGrad(() => {
      const found = {
        parameter: new Map<string, Tensor>(),
        optimiser: new Map<string, Tensor>(),
        task: new Map<string, Tensor>(),
      };
      for (const name of file.names()) {
        const slash = name.indexOf('/');
        const { dtype, shape } = file.info(name);
        const tensor = fromBytes(file.read(name), loaded.get(dtype)!, shape);
        found[name.slice(0, slash) as keyof typeof found].set(name.slice(slash + 1), tensor);
      }
      refuseOtherWeights(folder, parameters, found.parameter);
      const taskState = { values: state.task, tensors: found.task };
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
          missed: state.optimiserMissed,
        });
      } catch (error) {
        for (const [device, random] of before) setRandomState(random, device);
        throw error;
      }
      // From here on everything has been checked.
      for (const [name, parameter] of parameters) parameter.copy_(found.parameter.get(name)!);
      task.restore(taskState);
    }),
  );
}

function refuseOtherWeights(
  folder: string,
  own: ReadonlyMap<string, Tensor>,
  saved: ReadonlyMap<string, Tensor>,
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
