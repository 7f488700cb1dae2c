import { describe, expect, it } from 'vitest';
import { readLaunch } from './launch.ts';
import { expandNodeList } from './node-list.ts';

const torchrun = {
  ...{ RANK: '3', LOCAL_RANK: '1', WORLD_SIZE: '4', LOCAL_WORLD_SIZE: '2' },
  ...{ MASTER_ADDR: 'node-a', MASTER_PORT: '29501', TORCHELASTIC_RUN_ID: 'job' },
  ...{ TORCHELASTIC_RESTART_COUNT: '2', TORCHELASTIC_USE_AGENT_STORE: 'True' },
};
const slurm = {
  ...{ SLURM_STEP_ID: '0', SLURM_JOB_ID: '123456', SLURM_PROCID: '2', SLURM_LOCALID: '0' },
  ...{ SLURM_STEP_NUM_TASKS: '3', SLURM_NTASKS: '9', SLURM_NODEID: '1' },
  ...{ SLURM_STEP_NODELIST: 'gpu[07-08]', SLURM_STEP_TASKS_PER_NODE: '2,1' },
};

describe('a launch', () => {
  it('is none without variables, and for one process', () => {
    expect(readLaunch({})).toBeNull();
    expect(readLaunch({ RANK: '0', WORLD_SIZE: '1' })).toBeNull();
    // The script of a job is one process, whatever the job's tasks.
    expect(readLaunch({ SLURM_JOB_ID: '1', SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBeNull();
    expect(readLaunch({ ...slurm, SLURM_STEP_NUM_TASKS: '1', SLURM_PROCID: '0' })).toBeNull();
  });

  it("is torchrun's, whose agent has the store", () => {
    expect(readLaunch(torchrun)).toEqual({
      ...{ rank: 3, size: 4, localRank: 1, localSize: 2, host: 'node-a', port: 29_501 },
      ...{ serves: false, attempt: 'job/2', launcher: 'torchrun' },
    });
  });

  it('has its store in rank 0 elsewhere, such as in a PyTorchJob', () => {
    const {
      RANK: _,
      TORCHELASTIC_RUN_ID: __,
      TORCHELASTIC_USE_AGENT_STORE: ___,
      ...own
    } = torchrun;
    expect(readLaunch({ ...own, RANK: '0' })).toMatchObject({ rank: 0, serves: true });
    expect(readLaunch({ ...own, RANK: '1' })).toMatchObject({ rank: 1, serves: false });
    const { MASTER_PORT: ____, ...without } = own;
    expect(readLaunch({ ...without, RANK: '1' })!.port).toBe(29_500);
  });

  it("is that of Slurm's step: its first node, its tasks on this node, a port of its own", () => {
    expect(readLaunch(slurm)).toEqual({
      ...{ rank: 2, size: 3, localRank: 0, localSize: 1, host: 'gpu07', port: 23_456 },
      ...{ serves: false, attempt: '123456/0', launcher: 'Slurm' },
    });
    expect(readLaunch({ ...slurm, MASTER_ADDR: '10.0.0.1', MASTER_PORT: '4000' })).toMatchObject({
      ...{ host: '10.0.0.1', port: 4000 },
    });
  });

  it.each([
    [{ ...torchrun, RANK: '4' }, /RANK is "4".*from 0 to 3/],
    [{ ...torchrun, RANK: 'x' }, /RANK is "x"/],
    [{ ...torchrun, WORLD_SIZE: undefined }, /not WORLD_SIZE/],
    [{ ...torchrun, MASTER_ADDR: undefined }, /not MASTER_ADDR/],
    [{ ...torchrun, MASTER_PORT: '70000' }, /MASTER_PORT is "70000".*65535/],
  ])('with a wrong variable is refused by its name: %#', (env, message) => {
    expect(() => readLaunch(env)).toThrow(message);
  });
});

describe('a list of nodes', () => {
  it.each([
    ['login', ['login']],
    ['n1,n2', ['n1', 'n2']],
    ['n[1-3]', ['n1', 'n2', 'n3']],
    ['n[01-03,7],login', ['n01', 'n02', 'n03', 'n7', 'login']],
    [
      'rack[1-2]-node[08-10]',
      [
        'rack1-node08',
        'rack1-node09',
        'rack1-node10',
        'rack2-node08',
        'rack2-node09',
        'rack2-node10',
      ],
    ],
    ['n[098-101]x', ['n098x', 'n099x', 'n100x', 'n101x']],
  ])('%s', (text, nodes) => {
    expect(expandNodeList(text)).toEqual(nodes);
  });

  it.each(['n[1', 'n1]', 'n[a-b]', 'n[3-1]', 'n[]', 'n[0-9999999]'])('%s is refused', (text) => {
    expect(() => expandNodeList(text)).toThrow(text);
  });
});
