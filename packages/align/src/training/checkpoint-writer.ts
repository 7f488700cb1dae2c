// Writes the checkpoints of a run: also that of the last whole state, when something ends the run
// in the middle of a step.
import { finiteHere, isShared, type Optimiser, phase, type Tensor } from '@keel/torch';
import type { RunFolder } from '../runs/run-folder.ts';
import { workers } from '../sharing/workers.ts';
import type { RunIdentity } from './run-identity.ts';
import type { TrainingEvent } from './training-event.ts';
import { type CapturedState, type LoopProgress, saveTrainingState } from './training-state.ts';
import { NonFiniteLossError, type TrainingTask } from './training-task.ts';

export interface CheckpointParts {
  task: TrainingTask;
  parameters: Map<string, Tensor>;
  optimiser: Optimiser;
  run: RunFolder;
  /** What the run is made of; part of its checkpoints. */
  identity?: RunIdentity;
  /** Writes what other tools load (adapter or model) into a checkpoint's folder. */
  saveWeights(folder: string): Promise<void> | void;
  onEvent(event: TrainingEvent): void;
}

export class CheckpointWriter {
  readonly #parts: CheckpointParts;
  readonly #keep: number | null;
  /**
   * Optimizer steps of the newest checkpoint, and whether an evaluation was due then; -1: there is
   * none.
   */
  #saved: { step: number; evaluationDue: boolean };
  /** Folder of the newest checkpoint. */
  path: string | null;
  /** The error of the last attempt. */
  failure: unknown;

  /**
   * @param newest the checkpoint that the run continues from
   * @param keep number of checkpoints that stay; null: all
   */
  constructor(
    parts: CheckpointParts,
    newest: { step: number; path: string; evaluationDue: boolean } | null,
    keep: number | null,
  ) {
    this.#parts = parts;
    this.#keep = keep;
    this.#saved = newest ?? { step: -1, evaluationDue: false };
    this.path = newest?.path ?? null;
  }

  /**
   * Saves the state after a step, unless that is saved already.
   * @param captured state of the task and the random numbers after that step, where it has changed
   * @throws NonFiniteLossError where a weight is not finite: such weights are never written
   */
  async save(step: number, progress: LoopProgress, captured?: CapturedState): Promise<void> {
    const { evaluationDue } = progress;
    if (this.#saved.step === step && this.#saved.evaluationDue === evaluationDue) return;
    const { task, parameters, optimiser, run, identity, saveWeights, onEvent } = this.#parts;
    try {
      await refuseBrokenWeights({ task, parameters, optimiser });
      const fill = async (folder: string): Promise<void> => {
        await saveWeights(folder);
        saveTrainingState(folder, { task, parameters, optimiser, identity, progress, captured });
      };
      const write = () => run.saveCheckpoint(step, fill, this.#keep);
      const { path } = await phase('checkpoint', () => whileOthersServe(optimiser, write));
      this.path = path;
    } catch (error) {
      this.failure = error;
      throw error;
    }
    this.#saved = { step, evaluationDue };
    onEvent({ type: 'checkpoint', step, path: this.path });
  }
}

/** A step with a finite loss may still end in weights that are not finite. */
export async function refuseBrokenWeights({
  task,
  parameters,
  optimiser,
}: Pick<CheckpointParts, 'task' | 'parameters' | 'optimiser'>): Promise<void> {
  const broken = (): string | undefined =>
    [...parameters].find(([, parameter]) => finiteHere(parameter) === false)?.[0];
  // Of divided weights, each process sees its part.
  const found = isShared(optimiser) ? await workers()!.gather(broken) : [broken()];
  const name = found.find((one) => one !== undefined);
  if (name === undefined) return;
  throw new NonFiniteLossError(`the weight ${name} is not finite after the step`, task.rows);
}

/** Runs `work`, which may read what the processes divide: all of them call it. */
export async function whileOthersServe<T>(
  optimiser: Optimiser,
  work: () => Promise<T>,
): Promise<T> {
  if (!isShared(optimiser)) return work();
  const together = workers()!;
  return (await together.gather(work))[together.rank]!;
}
