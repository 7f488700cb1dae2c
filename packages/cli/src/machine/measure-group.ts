// `keel doctor --distributed`: whether the processes of a run reach each other, and how fast.
import { availableParallelism, hostname } from 'node:os';
import { joinProcesses } from '@keel/align/internal';
import {
  type ProcessGroup,
  processGroup,
  reduceGradients,
  type Tensor,
  threads,
  zeros,
} from '@keel/torch';

/** Seconds that a process waits for the others. */
const TIMEOUT = 60;
/** Bytes of the gradients that are reduced. */
const SIZES = [1024, 1024 ** 2, 16 * 1024 ** 2, 128 * 1024 ** 2];
const REPEATS = 5;

/** A process of the group. */
export interface Member {
  rank: number;
  host: string;
  pid: number;
  threads: number;
  cores: number;
}

/** Times are medians. */
export interface GroupFacts {
  backend: 'gloo';
  members: Member[];
  /** Of a barrier, in milliseconds. */
  barrier: number;
  /** Of a sum of gradients in float32. */
  sums: {
    bytes: number;
    milliseconds: number;
    /** That each process sends, in gigabytes a second. */
    gigabytesPerSecond: number;
  }[];
}

/**
 * Joins the processes that were started with this one, and measures their collectives.
 * @returns null if this is the only process
 * @throws GroupError naming the ranks that are not reached
 */
export async function measureGroup(): Promise<GroupFacts | null> {
  await using _joined = await joinProcesses(TIMEOUT);
  const group = processGroup();
  if (group === null) return null;
  const own: Member = {
    ...{ rank: group.rank, host: hostname(), pid: process.pid },
    ...{ threads: threads(), cores: availableParallelism() },
  };
  const told = await group.gatherBytes(Buffer.from(JSON.stringify(own)));
  const members = told.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as Member);
  const barrier = await median(group, () => group.barrier());
  const sums: GroupFacts['sums'] = [];
  for (const bytes of SIZES) {
    const parameters = parametersOf(bytes);
    const milliseconds = await median(group, () => reduceGradients(group, parameters));
    for (const one of parameters) one.dispose();
    const sent = (2 * bytes * (group.size - 1)) / group.size;
    sums.push({ bytes, milliseconds, gigabytesPerSecond: sent / 1e6 / milliseconds });
  }
  return { backend: 'gloo', members, barrier, sums };
}

/** Parameters with gradients of so many bytes, as large as a model's. */
function parametersOf(bytes: number): Tensor[] {
  const each = Math.min(bytes, 4 * 1024 ** 2);
  return Array.from({ length: bytes / each }, () => {
    const parameter = zeros([each / 4])
      .keep()
      .setRequiresGrad();
    using gradient = zeros([each / 4]).keep();
    parameter.grad = gradient;
    return parameter;
  });
}

/** Milliseconds, after one call that does not count. */
async function median(group: ProcessGroup, work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at <= REPEATS; at++) {
    await group.barrier();
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.slice(1).sort((a, b) => a - b)[Math.floor(REPEATS / 2)]!;
}
