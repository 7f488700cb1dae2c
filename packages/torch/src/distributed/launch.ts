// Which process of how many this is: the variables of torchrun, Slurm and Kubernetes' PyTorchJob.
import { expandNodeList } from './node-list.ts';

/** This process's place among those that train together. */
export interface Launch {
  /** From 0; rank 0 writes the run folder. */
  rank: number;
  size: number;
  /** Place among the processes on this machine, and their number. */
  localRank: number;
  localSize: number;
  /** Where the processes find each other. */
  host: string;
  port: number;
  /** Whether this process opens that port: not where torchrun's agent has done so. */
  serves: boolean;
  /** Different for each start of a job, so that a restarted one does not read old entries. */
  attempt: string;
  launcher: 'torchrun' | 'Slurm' | 'environment';
}

type Variables = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 29_500;

/**
 * @returns null where this is the only process
 * @throws Error naming the variable that is missing or is not a number in range
 */
export function readLaunch(env: Variables = process.env): Launch | null {
  if (env.WORLD_SIZE !== undefined || env.RANK !== undefined) return fromTorch(env);
  if (env.SLURM_STEP_ID !== undefined || env.SLURM_STEPID !== undefined) return fromSlurm(env);
  return null;
}

function fromTorch(env: Variables): Launch | null {
  const size = wholeNumber(env, 'WORLD_SIZE', { least: 1 });
  if (size === 1) return null;
  const rank = wholeNumber(env, 'RANK', { most: size - 1 });
  const agent = env.TORCHELASTIC_USE_AGENT_STORE === 'True';
  const { TORCHELASTIC_RUN_ID: id = '', TORCHELASTIC_RESTART_COUNT: restarts = '0' } = env;
  return {
    ...{ rank, size },
    localRank: wholeNumber(env, 'LOCAL_RANK', { otherwise: rank }),
    localSize: wholeNumber(env, 'LOCAL_WORLD_SIZE', { least: 1, otherwise: size }),
    host: env.MASTER_ADDR ?? missing('MASTER_ADDR', 'the host name of rank 0'),
    port: wholeNumber(env, 'MASTER_PORT', { least: 1, most: 65_535, otherwise: DEFAULT_PORT }),
    serves: rank === 0 && !agent,
    attempt: `${id}/${restarts}`,
    launcher: env.TORCHELASTIC_RUN_ID === undefined ? 'environment' : 'torchrun',
  };
}

/** A step of a job, started by srun. The script of a job is one process, whatever its tasks. */
function fromSlurm(env: Variables): Launch | null {
  const tasks = env.SLURM_STEP_NUM_TASKS === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const size = wholeNumber(env, tasks, { least: 1, otherwise: 1 });
  if (size === 1) return null;
  const rank = wholeNumber(env, 'SLURM_PROCID', { most: size - 1 });
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST;
  const first = nodes === undefined ? undefined : expandNodeList(nodes)[0];
  const job = wholeNumber(env, 'SLURM_JOB_ID', { otherwise: 0 });
  return {
    ...{ rank, size },
    localRank: wholeNumber(env, 'SLURM_LOCALID', { otherwise: rank }),
    localSize: localTasks(env, size),
    host:
      env.MASTER_ADDR ??
      first ??
      missing('SLURM_JOB_NODELIST', 'the nodes of the job, or MASTER_ADDR'),
    // Jobs that share a node need different ports.
    port: wholeNumber(env, 'MASTER_PORT', {
      least: 1,
      most: 65_535,
      otherwise: 20_000 + (job % 10_000),
    }),
    serves: rank === 0,
    attempt: `${env.SLURM_JOB_ID ?? ''}/${env.SLURM_RESTART_COUNT ?? '0'}`,
    launcher: 'Slurm',
  };
}

/** Tasks of this node: SLURM_STEP_TASKS_PER_NODE is "2(x3),1", by the node's place in the step. */
function localTasks(env: Variables, size: number): number {
  const text = env.SLURM_STEP_TASKS_PER_NODE ?? env.SLURM_TASKS_PER_NODE;
  const node = wholeNumber(env, 'SLURM_NODEID', { otherwise: 0 });
  const counts = (text ?? '').split(',').flatMap((part) => {
    const [, count, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return count === undefined ? [] : Array<number>(Number(times)).fill(Number(count));
  });
  return counts[node] ?? size;
}

function wholeNumber(
  env: Variables,
  name: string,
  { least = 0, most = Number.MAX_SAFE_INTEGER, otherwise }: NumberRange,
): number {
  const text = env[name];
  if (text === undefined || text === '') {
    return otherwise ?? missing(name, `a number from ${least}`);
  }
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new Error(`the variable ${name} is "${text}". It must be a whole number ${range}`);
}

interface NumberRange {
  least?: number;
  most?: number;
  otherwise?: number;
}

function missing(name: string, what: string): never {
  throw new Error(
    `the variables of a run in several processes are there, but not ${name} (${what}). Start the processes with torchrun, srun or keel launch, which set it, or unset RANK and WORLD_SIZE`,
  );
}
